import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from watchdog.observers.api import EventEmitter

from ingest.inbox.claim import claim, leftovers
from ingest.inbox.file_names import is_candidate
from ingest.inbox.inbox_lock import hold_inbox
from ingest.inbox.release import give_back, release
from ingest.inbox.store import Store
from ingest.inbox.watcher.inbox_watcher import MOST_AT_ONCE, Watcher
from ingest.inbox.watcher.stability import WatcherTimeouts
from ingest.reader.reader_process import Reader
from readfirst.errors import Misconfigured
from tests.support.files import a_dicom_file
from tests.support.vanishing import vanishes_when_listed
from tests.support.watchers import INCOMPLETE, SCAN, STABLE, STEP, Looker


@pytest.fixture
def looker(inbox: Path, reader: Reader) -> Iterator[Looker]:
    opened = Looker(inbox, reader)
    yield opened
    opened.watcher.close()


def test_a_whole_file_settles_once(looker: Looker, inbox: Path) -> None:
    path = a_dicom_file(inbox / "film.dcm")
    looker.look()
    assert looker.within(STABLE - STEP) == []
    assert looker.within(2 * STEP) == [path]


def test_a_slow_copy_is_not_taken_before_it_is_whole(
    looker: Looker, inbox: Path, tmp_path: Path
) -> None:
    whole = a_dicom_file(tmp_path / "film.dcm").read_bytes()
    path = inbox / "film.dcm"
    path.write_bytes(whole[: len(whole) // 2])
    assert looker.within(STABLE + INCOMPLETE - STEP) == []
    path.write_bytes(whole)
    assert looker.until(path) == [path]


def test_a_file_that_grows_is_not_looked_into(looker: Looker, inbox: Path) -> None:
    """It is whole each time, as far as anybody can tell, and yet grows on."""
    path = a_dicom_file(inbox / "film.dcm")
    for _ in range(5):
        assert looker.within(STABLE - STEP) == []
        with path.open("ab") as slow:
            slow.write(bytes(2))
    assert looker.until(path) == [path]


def test_a_file_that_never_gets_whole_is_taken_in_the_end(looker: Looker, inbox: Path) -> None:
    path = inbox / "film.dcm"
    path.touch()
    assert looker.within(STABLE + INCOMPLETE - STEP) == []
    assert looker.until(path) == [path]


def test_a_file_is_taken_after_its_rename_from_part(looker: Looker, inbox: Path) -> None:
    partial = a_dicom_file(inbox / "film.dcm.part")
    assert looker.within(10 * STABLE) == []
    partial.rename(inbox / "film.dcm")
    whole = inbox / "film.dcm"
    assert looker.until(whole) == [whole]


def test_nested_folders_are_watched(looker: Looker, inbox: Path) -> None:
    looker.look()
    (inbox / "ward" / "Übergabe 3").mkdir(parents=True)
    path = a_dicom_file(inbox / "ward" / "Übergabe 3" / "FILM")
    assert looker.until(path) == [path]


def test_the_scan_finds_what_no_event_told_and_events_are_listened_to_anew(
    looker: Looker, inbox: Path
) -> None:
    looker.look()
    looker.events.lost = True
    path = a_dicom_file(inbox / "film.dcm")
    assert looker.within(10 * STABLE) == []
    assert looker.scan() + looker.within(2 * STABLE) == [path]
    path.unlink()
    looker.scan()
    announced = a_dicom_file(inbox / "told.dcm")
    assert looker.until(announced) == [announced]


def test_threads_that_died_are_replaced(looker: Looker, inbox: Path) -> None:
    looker.look()
    for thread in threading.enumerate():
        if isinstance(thread, EventEmitter):
            thread.stop()
            thread.join()
    assert not looker.events.alive
    looker.scan()
    assert looker.events.alive
    announced = a_dicom_file(inbox / "told.dcm")
    assert looker.until(announced) == [announced]


def test_many_files_at_once_are_offered_once_each_and_a_few_at_a_time(
    looker: Looker, inbox: Path
) -> None:
    content = a_dicom_file(inbox / "0.dcm").read_bytes()
    looks = 2
    wanted = {
        inbox / f"ward {number % 7}" / f"{number}.dcm"
        for number in range(looks * MOST_AT_ONCE - MOST_AT_ONCE // 2)
    }
    for path in wanted:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    assert looker.within(STABLE) == []
    offered = []
    for _ in range(looks):
        at_once = looker.look()
        assert 0 < len(at_once) <= MOST_AT_ONCE
        for path in at_once:
            path.unlink()
        offered += at_once
    assert sorted(offered) == sorted(wanted | {inbox / "0.dcm"})
    assert looker.scan() + looker.within(2 * STABLE) == []


def test_links_pipes_and_hidden_files_are_left_alone(
    looker: Looker, inbox: Path, tmp_path: Path
) -> None:
    a_dicom_file(tmp_path / "elsewhere.dcm")
    (inbox / "link.dcm").symlink_to(tmp_path / "elsewhere.dcm")
    os.mkfifo(inbox / "pipe.dcm")
    a_dicom_file(inbox / ".hidden.dcm")
    (inbox / ".readfirst").mkdir()
    a_dicom_file(inbox / ".readfirst" / "claimed.dcm")
    assert looker.within(2 * (STABLE + INCOMPLETE)) == []


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        ("a.dcm", True),
        ("A", True),
        ("a.part", False),
        ("a.TMP", False),
        (".a", False),
        ("a~", False),
    ],
)
def test_which_names_are_candidates(name: str, taken: bool) -> None:
    assert is_candidate(name) is taken


def test_of_two_that_claim_a_file_one_gets_it(inbox: Path) -> None:
    for number in range(30):
        path = inbox / "ward" / f"{number}.dcm"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"film")
        with ThreadPoolExecutor(4) as pool:
            claims = [c for c in pool.map(lambda p: claim(inbox, p), [path] * 4) if c]
        assert len(claims) == 1
        assert claims[0].relative_path == Path("ward") / f"{number}.dcm"


def test_a_claim_that_was_not_let_go_of_is_found_again(inbox: Path) -> None:
    path = inbox / "ward" / "film.dcm"
    path.parent.mkdir()
    path.write_bytes(b"film")
    claimed = claim(inbox, path)
    assert claimed is not None
    assert leftovers(inbox) == [claimed]
    release(claimed)
    assert leftovers(inbox) == []
    assert list((inbox / ".readfirst").iterdir()) == []


def test_a_claim_that_ends_while_claims_are_listed_is_none(inbox: Path, tmp_path: Path) -> None:
    path = inbox / "film.dcm"
    path.write_bytes(b"film")
    claimed = claim(inbox, path)
    assert claimed is not None
    with vanishes_when_listed(claimed.path.parent, tmp_path / "elsewhere"):
        assert leftovers(inbox) == []


def test_a_claim_can_be_given_back_but_never_over_another_file(inbox: Path) -> None:
    path = inbox / "ward" / "film.dcm"
    path.parent.mkdir()
    path.write_bytes(b"film")
    claimed = claim(inbox, path)
    assert claimed is not None
    path.write_bytes(b"another")
    give_back(inbox, claimed)
    assert (path.read_bytes(), claimed.path.read_bytes()) == (b"another", b"film")
    path.unlink()
    give_back(inbox, claimed)
    assert path.read_bytes() == b"film"
    assert leftovers(inbox) == []


def test_one_ingester_holds_the_inbox(inbox: Path) -> None:
    with hold_inbox(inbox), pytest.raises(Misconfigured, match="Another ingester"):
        hold_inbox(inbox).__enter__()


def test_the_store_keeps_content_once_and_gives_it_back(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    source = tmp_path / "film"
    source.write_bytes(b"x" * 3_000_000)
    stored = store.keep(source)
    assert store.keep(source) == stored
    assert store.path(stored.sha256).read_bytes() == source.read_bytes()
    assert sum(path.is_file() for path in (tmp_path / "store").rglob("*")) == 1


def test_a_copy_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    with pytest.raises(FileNotFoundError):
        store.keep(tmp_path / "gone")
    assert list((tmp_path / "store").iterdir()) == []


def test_the_watcher_ends_when_it_is_told(inbox: Path, reader: Reader) -> None:
    stop = threading.Event()
    timeouts = WatcherTimeouts(settle=STABLE, incomplete=INCOMPLETE, scan=SCAN)
    told_while_idle = Watcher(
        inbox, timeouts=timeouts, read_header=reader.header, report=lambda _: stop.set()
    )
    assert list(told_while_idle.settled(stop)) == []
