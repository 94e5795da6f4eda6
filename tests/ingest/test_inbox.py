import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ingest.claim import claim, give_back, hold_inbox, leftovers, release
from ingest.sandbox import Reader
from ingest.store import Store
from ingest.survey import is_candidate
from ingest.watch import MOST_AT_ONCE, Patience, Watcher
from readfirst.errors import Misconfigured
from tests.ingest.builders import a_dicom_file

SETTLE, INCOMPLETE, SCAN = 0.3, 0.8, 0.5


@pytest.fixture(scope="module")
def reader():  # type: ignore[no-untyped-def]
    with Reader(20, 512) as opened:
        yield opened


@pytest.fixture
def watcher(inbox: Path, reader: Reader):  # type: ignore[no-untyped-def]
    opened = Watcher(
        inbox,
        patience=Patience(settle=SETTLE, incomplete=INCOMPLETE, scan=SCAN),
        reader=reader,
    )
    yield opened
    opened.close()


def settled_within(watcher: Watcher, seconds: float) -> list[Path]:
    found: list[Path] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found += watcher.look()
        time.sleep(0.05)
    return found


def settled_until(watcher: Watcher, wanted: Path) -> list[Path]:
    """Look until a file has settled; a busy machine is given time."""
    found: list[Path] = []
    end = time.monotonic() + 20
    while wanted not in found and time.monotonic() < end:
        found += watcher.look()
        time.sleep(0.05)
    return found


def test_a_whole_file_settles_once(watcher: Watcher, inbox: Path) -> None:
    path = a_dicom_file(inbox / "film.dcm")
    assert settled_until(watcher, path) == [path]


def test_a_slow_copy_is_not_taken_before_it_is_whole(
    watcher: Watcher, inbox: Path, tmp_path: Path
) -> None:
    whole = a_dicom_file(tmp_path / "film.dcm").read_bytes()
    path = inbox / "film.dcm"
    path.write_bytes(whole[: len(whole) // 2])
    assert settled_within(watcher, SETTLE + 0.4) == []
    path.write_bytes(whole)
    assert path in settled_until(watcher, path)


def test_a_file_that_never_gets_whole_is_taken_in_the_end(watcher: Watcher, inbox: Path) -> None:
    path = inbox / "film.dcm"
    path.touch()
    assert settled_within(watcher, SETTLE + INCOMPLETE - 0.4) == []
    assert path in settled_until(watcher, path)


def test_a_file_is_taken_after_its_rename_from_part(watcher: Watcher, inbox: Path) -> None:
    partial = a_dicom_file(inbox / "film.dcm.part")
    assert settled_within(watcher, SETTLE + 0.4) == []
    partial.rename(inbox / "film.dcm")
    whole = inbox / "film.dcm"
    assert settled_until(watcher, whole) == [whole]


def test_nested_folders_are_watched(watcher: Watcher, inbox: Path) -> None:
    settled_within(watcher, 0.2)
    (inbox / "ward" / "Übergabe 3").mkdir(parents=True)
    path = a_dicom_file(inbox / "ward" / "Übergabe 3" / "FILM")
    assert path in settled_until(watcher, path)


def test_the_scan_finds_what_no_event_told_and_events_are_listened_to_anew(
    watcher: Watcher, inbox: Path
) -> None:
    settled_within(watcher, 0.2)
    deaf = watcher._events._observer
    assert deaf is not None
    deaf.unschedule_all()
    path = a_dicom_file(inbox / "film.dcm")
    assert path in settled_until(watcher, path)
    settled_within(watcher, SCAN + 0.2)
    watcher._next_scan = time.monotonic() + 60
    told = a_dicom_file(inbox / "told.dcm")
    assert told in settled_until(watcher, told)


def test_threads_that_died_are_replaced(watcher: Watcher, inbox: Path) -> None:
    settled_within(watcher, 0.2)
    observer = watcher._events._observer
    assert observer is not None
    for emitter in observer.emitters:
        emitter.stop()
        emitter.join()
    assert not watcher._events.alive
    settled_within(watcher, SCAN + 0.3)
    assert watcher._events.alive
    watcher._next_scan = time.monotonic() + 60
    told = a_dicom_file(inbox / "told.dcm")
    assert told in settled_until(watcher, told)


def test_thousands_of_files_at_once_are_offered_once_each(watcher: Watcher, inbox: Path) -> None:
    content = a_dicom_file(inbox / "0.dcm").read_bytes()
    wanted = {inbox / f"ward {number % 7}" / f"{number}.dcm" for number in range(1500)}
    for path in wanted:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    offered: list[Path] = []
    end = time.monotonic() + 120
    while len(offered) <= 1500 and time.monotonic() < end:
        at_once = 0
        for path in watcher.look():
            offered.append(path)
            path.unlink()
            at_once += 1
        assert at_once <= MOST_AT_ONCE
    assert sorted(offered) == sorted(wanted | {inbox / "0.dcm"})


def test_links_pipes_and_hidden_files_are_left_alone(
    watcher: Watcher, inbox: Path, tmp_path: Path
) -> None:
    a_dicom_file(tmp_path / "elsewhere.dcm")
    (inbox / "link.dcm").symlink_to(tmp_path / "elsewhere.dcm")
    os.mkfifo(inbox / "pipe.dcm")
    a_dicom_file(inbox / ".hidden.dcm")
    (inbox / ".readfirst").mkdir()
    a_dicom_file(inbox / ".readfirst" / "claimed.dcm")
    assert settled_within(watcher, SETTLE + 0.6) == []


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


def test_the_watcher_ends_when_it_is_told(inbox: Path, watcher: Watcher) -> None:
    stop = threading.Event()
    threading.Timer(0.3, stop.set).start()
    assert list(watcher.settled(stop)) == []
