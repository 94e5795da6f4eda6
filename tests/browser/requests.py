"""Requests of a page that a test holds, fails or answers; all others have the browser's cache.

Playwright's own `page.route` switches the cache off: each page loads all its scripts again.
"""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from playwright.sync_api import CDPSession, Page


@dataclass(frozen=True, slots=True)
class Held:
    """A request that waits until it is let go on, failed or answered."""

    session: CDPSession
    number: str

    def let_go(self) -> None:
        """Send it to the server."""
        self.session.send("Fetch.continueRequest", {"requestId": self.number})

    def fail(self) -> None:
        """End it as `net::ERR_FAILED`: no server was reached."""
        failed = {"requestId": self.number, "errorReason": "Failed"}
        self.session.send("Fetch.failRequest", failed)

    def answer(self, status: HTTPStatus, content_type: str, body: str = "") -> None:
        """Answer it without the server."""
        answer: dict[str, Any] = {
            "requestId": self.number,
            "responseCode": status,
            "responseHeaders": [{"name": "Content-Type", "value": content_type}],
            "body": base64.b64encode(body.encode()).decode(),
        }
        self.session.send("Fetch.fulfillRequest", answer)


def intercept(page: Page, *addresses: str, by: Callable[[Held], object]) -> Callable[[], None]:
    """Give each request for such an address to a function; what it does not end waits.

    addresses: whole ones, where `*` stands for any text, also an empty one, and `?` for a letter;
    `\\?` is a question mark. Returns what lets all go on, also those that wait.
    """
    session = page.context.new_cdp_session(page)

    def paused(event: dict[str, Any]) -> None:
        by(Held(session, event["requestId"]))

    session.on("Fetch.requestPaused", paused)
    session.send("Fetch.enable", {"patterns": [{"urlPattern": each} for each in addresses]})
    return session.detach


def hold(page: Page, *addresses: str) -> list[Held]:
    """The requests for such addresses, as they come; each waits."""
    waiting: list[Held] = []
    intercept(page, *addresses, by=waiting.append)
    return waiting
