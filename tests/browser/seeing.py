"""A page that is watched: what it complains of, and whom it asks."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Page, Request

from tests.browser.site import PASSWORD


@dataclass
class Complaints:
    """What went wrong in a page that nobody expected."""

    said: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)

    def expect(self, *parts: str) -> None:
        """From now on nobody minds what has one of these in its text, as `401`."""
        self.expected.extend(parts)

    def unexpected(self) -> list[str]:
        """All that somebody should mind."""
        return [one for one in self.said if not any(part in one for part in self.expected)]

    def watch(self, page: Page) -> None:
        """Note errors and warnings (a broken CSP is one), and requests to other machines."""
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.said.append(f"error: {error}"))
        page.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.said.append(f"{message.type}: {message.text} ({message.location['url']})")

    def _request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in ("data", "blob") and address.hostname != "127.0.0.1":
            self.said.append(f"it asks {request.url}")


def log_in(page: Page, name: str = "reader", path: str = "/") -> None:
    """Log in as a person does, and land on this page. Needs `add_people`."""
    page.goto(path)
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"**{path}")
