"""The tabs that tests open one after another in a few windows of the browser, as if in new ones.

A page in a new context begins with a new process, which has everything to load and to compile: that
took longer than most tests. Here a tab that stays keeps the process, and between two tests all that
a site may have stored is deleted.
"""

from typing import Any, Final

from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, Route

#: What a page may be given after it was opened; all else belongs to a context.
OF_PAGES: Final = frozenset({"color_scheme", "viewport"})
#: What a window may be kept with. Permissions may not: they are gone once its pages are closed.
OF_WINDOWS: Final = frozenset({"has_touch", "is_mobile"})
DESK: Final[Any] = {"width": 1400, "height": 900}
#: Whether the clock is the machine's own. One that a test installed is in each page of its context
#: and cannot be taken away again; its Date looks like the machine's.
OWN_CLOCK: Final = "() => `${performance.now}${setTimeout}`.split('[native code]').length === 3"


class Tabs:
    """Opens pages of one address, as the only ones of the browser until they are closed."""

    def __init__(self, browser: Browser, address: str, **options: Any) -> None:
        """address: of the site, as `http://127.0.0.1:43210`; nobody has to serve it yet.

        options: of the window, of those in OF_WINDOWS.
        """
        self._browser = browser
        self.address = address
        self._options = options
        self._context: BrowserContext | None = None
        self._kept: Page
        self._session: CDPSession

    def open(self, color_scheme: Any = "light", viewport: Any = DESK) -> Page:
        """A new page."""
        page = self._open()
        if not (page.evaluate(OWN_CLOCK) and self._kept.evaluate(OWN_CLOCK)):
            page.context.close()
            self._context = None
            page = self._open()
        if viewport != DESK:
            page.set_viewport_size(viewport)
        if color_scheme != "light":
            page.emulate_media(color_scheme=color_scheme)
        return page

    def _open(self) -> Page:
        self._context = self._context or self._open_context()
        return self._context.new_page()

    def _open_context(self) -> BrowserContext:
        context = self._browser.new_context(base_url=self.address, viewport=DESK, **self._options)
        self._kept = context.new_page()
        self._kept.route("**", _empty)
        self._kept.goto("/")
        self._session = context.new_cdp_session(self._kept)
        return context

    def close(self) -> None:
        """Close all pages, and delete what was stored."""
        if self._context is None:
            return
        for page in self._context.pages:
            if page != self._kept:
                page.close()
        self._context.clear_cookies()
        self._context.clear_permissions()
        stored = {"origin": self.address, "storageTypes": "all"}
        self._session.send("Storage.clearDataForOrigin", stored)


class Windows:
    """Windows for the pages of a test, each with cookies of its own; the next test has them too."""

    def __init__(self, browser: Browser, address: str) -> None:
        """address: of the site."""
        self._browser = browser
        self.address = address
        self._kept: list[tuple[dict[str, Any], Tabs]] = []
        self._in_use: list[Tabs] = []

    def take(self, **options: Any) -> Tabs | None:
        """A window of which no page is open, of these options; None where such are not kept."""
        if not options.keys() <= OF_WINDOWS:
            return None
        for each, tabs in self._kept:
            if each == options and tabs not in self._in_use:
                break
        else:
            tabs = Tabs(self._browser, self.address, **options)
            self._kept.append((options, tabs))
        self._in_use.append(tabs)
        return tabs

    def close(self) -> None:
        """Close all pages, and delete what was stored."""
        while self._in_use:
            self._in_use.pop().close()


def _empty(route: Route) -> None:
    route.fulfill(content_type="text/html", body="")
