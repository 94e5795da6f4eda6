"""The benchmark of waits in a browser comes to its end: what it does can be done, or it fails."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error

from benchmarks.worklist import browser_bench, seed_data
from db.migrate import upgrade
from db.session import open_database
from readfirst.settings import Settings

STUDIES = 400
ADDRESS = "http://127.0.0.1"


@pytest.fixture
def address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A list of the benchmark's invented studies; two of those that are unread are STAT."""
    for module in (seed_data, browser_bench):
        monkeypatch.setattr(module, "UNREAD", 250)
    url = f"sqlite:///{tmp_path / 'list.db'}"
    database = open_database(url)
    upgrade(database)
    seed_data.fill(database, 1, STUDIES)
    database.dispose()
    settings = Settings(home=tmp_path / "home")
    browser_bench.lay_films(settings, STUDIES)
    with browser_bench.serving(settings, url) as address:
        yield address


def test_all_that_is_timed_can_be_done_and_a_verdict_first_too(
    browser: Browser, address: str
) -> None:
    """The first study of the list is STAT, and its score in doubt: nobody can agree with it."""
    page = browser_bench.new_page(browser, address)
    *others, verdict = browser_bench.DOINGS.values()
    for do in (verdict, *others, verdict):
        assert do(page) > 0
    page.close()


def test_a_wait_for_what_never_comes_ends_and_says_for_what(browser: Browser) -> None:
    page = browser.new_page()
    page.route("**", lambda route: route.fulfill(body="<p>Nothing else", content_type="text/html"))
    page.add_init_script(browser_bench.SCRIPT)
    page.goto(f"{ADDRESS}/studies/1")
    assert page.evaluate("painted(() => document.querySelector('p'))") > 0
    with pytest.raises(Error, match=r"Not on /studies/1 after 0\.1 s: .*no-such"):
        page.evaluate("painted(() => document.querySelector('no-such'), 0.1)")
    page.close()
