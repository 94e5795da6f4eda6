"""Monitors of pages: errors, requests to other machines, and event streams."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Page, Request

from tests.browser.site import PASSWORD
from tests.support.browsers import token_in
from tests.support.waiting import TIMEOUT

#: Chromium's advice to whoever reads a canvas often, as these tests do and the page does not. When
#: it comes depends on what the browser has drawn before.
CANVAS_READ_OFTEN = "willReadFrequently"


@dataclass
class PageMonitor:
    """Collects the errors and warnings of pages, and requests to other machines."""

    problems: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=lambda: [CANVAS_READ_OFTEN])

    def expect(self, *parts: str) -> None:
        """Ignore problems whose text has one of these parts, as `401`."""
        self.expected.extend(parts)

    def unexpected(self) -> list[str]:
        """Return all other problems."""
        return [
            problem
            for problem in self.problems
            if not any(part in problem for part in self.expected)
        ]

    def watch(self, page: Page) -> None:
        """Monitor a page; a violation of the Content-Security-Policy is a warning too."""
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.problems.append(f"error: {error}"))
        page.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.problems.append(f"{message.type}: {message.text} ({message.location['url']})")

    def _request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in ("data", "blob") and address.hostname != "127.0.0.1":
            self.problems.append(f"request to another machine: {request.url}")


def log_in(page: Page, name: str = "reader", path: str | None = "/") -> None:
    """Log somebody in, and open this page, if any. Needs `add_people`.

    The form is sent, as a person does, but is not drawn: `test_pages.py` looks at it.
    """
    form = page.context.request.get("/login").text()
    token = token_in(form)
    sent: Any = {"name": name, "password": PASSWORD, "form_token": token}
    answer = page.context.request.post("/login", form=sent, max_redirects=0)
    assert answer.status == 303
    if path is not None:
        page.goto(path)


def log_in_by_form(page: Page, name: str, path: str) -> None:
    """Log in as a person does who wants this page. Needs `add_people`."""
    page.goto(path)
    send_log_in(page, name)
    page.wait_for_url(f"**{path}")


def send_log_in(page: Page, name: str) -> None:
    """Fill in and send the form of the log-in, which the page shows."""
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()


def intercept(page: Page) -> None:
    """Let requests of all that is opened from now on wait for the routes that are set later.

    A page that is open already is told of its first route at some moment after it was set, and what
    it sends until then passes.
    """
    page.route("**/nobody-sends-this", lambda route: route.abort())


def wait_until(page: Page, condition: Callable[[], object]) -> None:
    """Wait until a condition holds, while Playwright's own loop goes on."""
    end = time.monotonic() + TIMEOUT
    while not condition():
        assert time.monotonic() < end, "it did not come to hold"
        page.wait_for_timeout(50)


@contextmanager
def event_stream(page: Page) -> Iterator[None]:
    """Open a page in the block; when it ends, the page receives every further event.

    The first bytes of the stream show it. Its headers come before, and are not enough.
    """
    network = page.context.new_cdp_session(page)
    streams: set[str] = set()
    received: list[str] = []

    def on_request(event: dict[str, Any]) -> None:
        if event["request"]["url"].endswith("/events/stream"):
            streams.add(event["requestId"])

    network.on("Network.requestWillBeSent", on_request)
    network.on("Network.dataReceived", lambda event: received.append(event["requestId"]))
    network.send("Network.enable")
    yield
    wait_until(page, lambda: streams & set(received))
    network.detach()
