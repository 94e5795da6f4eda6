"""The system's own Chromium, as the tests drive it."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

#: With windows, notifications and all that people have.
WHOLE_CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
#: The same engine without a browser around it takes a fifth less processor time.
CHROMIUM = shutil.which("chromium-headless-shell") or WHOLE_CHROMIUM


@contextmanager
def a_browser() -> Iterator[Browser | None]:
    """Start a browser without a window; yield None where there is no Chromium."""
    if CHROMIUM is None:
        yield None
        return
    arguments = ["--disable-gpu", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()
