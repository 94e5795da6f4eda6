"""Hostile files by the whole way: each is scored or refused with a code, and can be had back."""

from collections.abc import Iterator
from hashlib import sha256
from itertools import islice
from pathlib import Path
from unicodedata import category

from sqlalchemy import select

from db.images import ArrivalOutcome
from db.tables import Arrival, Image
from db.worklist.queries import reading_order
from db.worklist.refused import refused_images
from ingest.inbox.claim import claim, leftovers
from readfirst.domain import ImageState
from readfirst.refusals import WITHOUT_FILM
from readfirst.tasks.names import TaskName
from tests.fuzz.fuzzing import broken_files
from tests.fuzz.hostile_dicom import odd_uids, what_aborts_gdcm
from tests.fuzz.hostile_pictures import a_png_bomb, polyglots
from tests.fuzz.seeds import seeds
from tests.support.studies import AS_STORED
from tests.support.workers import Worker

BROKEN = 40
#: As long as a name may be (bytes).
LONGEST_NAME = 255


def hostile_files() -> Iterator[tuple[str, bytes]]:
    """Names and contents: broken ones, made ones, and names that would lead elsewhere."""
    for broken in broken_files(seeds(), BROKEN, seed=3):
        yield f"{broken.number:03}-{broken.seed.name}", broken.content
    yield from odd_uids()
    yield from islice(polyglots(), 4)
    yield "aborts.dcm", what_aborts_gdcm()
    yield "bomb.png", a_png_bomb(100_000, 100_000, colour=0, rows=1)
    yield "..%2f..%2fetc%2fpasswd", b"root"
    yield "..\\..\\windows\\win.ini", b"windows"
    yield "%s%n{0}$(reboot);`reboot`'\"", b"format"
    yield "<script>alert(1)</script>".replace("/", "∕"), b"markup"
    yield "\u202egnp.exe", b"turned round"
    yield "n" * LONGEST_NAME, b"long"
    yield "line\nbreak\r\t\x1b[2J", b"control"


def work_through(worker: Worker) -> dict[str, bytes]:
    """Every hostile file taken in and worked on until nothing is left; their contents by name."""
    inbox = worker.settings.inbox_path
    inbox.mkdir(parents=True)
    contents = dict(hostile_files())
    for name, content in contents.items():
        (inbox / name).write_bytes(content)
        claimed = claim(inbox, inbox / name)
        assert claimed is not None
        assert worker.take_in(claimed) in ArrivalOutcome
    while worker.prepare_next():
        pass
    while worker.score_batch():
        pass
    return contents


def test_each_is_scored_or_refused_with_a_code_and_can_be_had_back(
    worker: Worker, tmp_path: Path
) -> None:
    worked = work_through(worker)
    with worker.database.read() as session:
        images = session.scalars(select(Image)).all()
        arrivals = session.scalars(select(Arrival)).all()
        rows = reading_order(session, limit=1000, display=AS_STORED)
        refused = {record.sha256 for record in refused_images(session, limit=1000)}
    contents = {sha256(content).hexdigest(): content for content in worked.values()}
    assert len(arrivals) == len(worked)
    assert {arrival.sha256 for arrival in arrivals} == set(contents)
    by_id = {image.id: image for image in images}
    for arrival in arrivals:
        image = by_id[arrival.image_id]
        assert image.state in (ImageState.SCORED, ImageState.REFUSED), arrival.relative_path
        assert (image.state is ImageState.REFUSED) == (image.code is not None)
        assert (image.code is not None) == bool(image.reason)
        kept = worker.store.path(arrival.sha256).read_bytes()
        assert kept == contents[arrival.sha256]
        assert not any(category(char) == "Cc" for char in arrival.relative_path)
        assert "\u202e" not in arrival.relative_path
    states = [image.state for image in images]
    assert states.count(ImageState.SCORED) >= 5
    assert states.count(ImageState.REFUSED) >= 15
    listed = {image.sha256 for row in rows for image in row.images}
    assert listed | refused == {image.sha256 for image in images}, "nothing is skipped in silence"
    films = {image.sha256 for image in images if image.code not in WITHOUT_FILM}
    assert listed == films, "a film that is not scored stands on the worklist too"
    check_that_nothing_lies_elsewhere(worker, tmp_path)


def check_that_nothing_lies_elsewhere(worker: Worker, tmp_path: Path) -> None:
    home = worker.settings.home_path
    assert leftovers(worker.settings.inbox_path) == []
    folders = {path.name for path in home.iterdir()}
    assert folders == {"inbox", "store", "prepared"}
    assert {path.name for path in tmp_path.iterdir()} <= {
        "home", "readfirst.db", "readfirst.db-wal", "readfirst.db-shm",
    }  # fmt: skip
    for path in [*home.glob("store/**/*"), *home.glob("prepared/**/*")]:
        assert path.is_dir() or path.stem.removesuffix(".png").isalnum(), path
        assert not path.name.endswith(".part")
    assert set(worker.notifier.notified) == {TaskName.PREPARE, TaskName.SCORE}
