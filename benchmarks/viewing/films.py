"""A film from a real server, and in a real browser."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from urllib.request import urlopen

from benchmarks.decoding import Encoding, Film, write
from benchmarks.ratios import Spread, spread
from db.images import Identity, NewArrival
from db.lifecycle.arrivals import add_image
from db.lifecycle.unit_of_work import site_policy, unit_of_work
from db.migrate import upgrade
from db.session import open_database
from ingest.inbox.store import Store
from readfirst.domain import FileKind, Header, uid_from_digest
from readfirst.settings import Settings
from worklist.app import make_app
from worklist.server import make_server

#: As the viewer asks for first.
SMALL = 512
#: Canvases in CSS pixels, and how many steps the drag has.
CANVASES, STEPS = ((1400, 900), (2560, 1440)), 60


@dataclass(frozen=True, slots=True)
class Loaded:
    """An encoding: milliseconds to the small film, and to every pixel after it; megabytes sent."""

    name: str
    small: Spread
    every: Spread
    megabytes: float


@dataclass(frozen=True, slots=True)
class Painted:
    """Milliseconds that one frame takes to paint: the median, and the slowest of twenty."""

    width: int
    height: int
    median: float
    slowest: float


def measure(
    film: Film, encodings: Sequence[Encoding], rounds: int, *, browser: bool
) -> tuple[list[Loaded], list[Painted]]:
    """Serve the film in these encodings, and look at it."""
    with TemporaryDirectory(prefix="readfirst-benchmark-") as folder:
        settings = Settings(home=Path(folder) / "home")
        kept = {}
        for number, encoding in enumerate(encodings):
            path = Path(folder) / f"{number}.dcm"
            write(encoding, film, path)
            kept[encoding.name] = keep(settings, path, film)
        with serving(settings) as address:
            loaded = load(address, {name: digest for name, (digest, _) in kept.items()}, rounds)
            study = kept[encodings[0].name][1]
            return loaded, paint(address, study) if browser else []


@contextmanager
def serving(settings: Settings) -> Iterator[str]:
    """The page's real server on a free port; its address."""
    server = make_server(make_app(settings), "127.0.0.1", 0)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


def keep(settings: Settings, path: Path, film: Film) -> tuple[str, str]:
    """The file as intake would keep it. Returns its sha256 and its study's UID."""
    kept = Store(settings.store_path).keep(path)
    digest, now = kept.sha256, datetime.now(UTC)
    rows, columns = film.shape
    header = Header(kind=FileKind.DICOM, rows=rows, columns=columns)
    arrival = NewArrival(
        claim_id=digest[:32],
        relative_path=path.name,
        sha256=digest,
        size=kept.size,
        arrived_at=now,
    )
    identity = Identity(
        study_instance_uid=uid_from_digest(digest, "study"),
        series_instance_uid=uid_from_digest(digest, "series"),
        sop_instance_uid=uid_from_digest(digest, "instance"),
    )
    database = open_database(settings.database)
    upgrade(database)
    with unit_of_work(database, site_policy(settings), at=now) as unit:
        add_image(unit, arrival, identity, header)
    database.dispose()
    return digest, identity.study_instance_uid


def load(address: str, digests: dict[str, str], rounds: int) -> list[Loaded]:
    """Ask for each film as the viewer does, in rounds, so that none is still at hand."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in digests}
    sizes: dict[str, float] = {}
    for _ in range(rounds + 1):
        for name, digest in digests.items():
            pixels = f"{address}/api/v1/images/{digest}/pixels"
            small, _ = _request(f"{pixels}?longest={SMALL}")
            every, sizes[name] = _request(pixels)
            times[name].append((small, every))
    # The first round starts the process that decodes.
    return [
        Loaded(
            name,
            spread([small for small, _ in pairs[1:]]),
            spread([every for _, every in pairs[1:]]),
            sizes[name],
        )
        for name, pairs in times.items()
    ]


def _request(address: str) -> tuple[float, float]:
    """Milliseconds and megabytes of an answer."""
    begun = time.perf_counter()
    with urlopen(address) as answer:  # noqa: S310 - our own server
        size = len(answer.read())
    return 1e3 * (time.perf_counter() - begun), size / 1e6


def paint(address: str, study: str) -> list[Painted]:
    """Drag the window of a film; none without a browser."""
    from benchmarks.browser import a_browser

    with a_browser() as browser:
        if browser is None:
            return []
        painted = []
        for width, height in CANVASES:
            page = browser.new_page(viewport={"width": width, "height": height})
            page.goto(f"{address}/studies/{study}/film")
            page.locator('[data-film="facts"]').filter(has_text="%").wait_for()
            page.locator('[data-film="message"]').filter(has_not_text="…").wait_for(
                state="attached"
            )
            stage = page.locator('[data-film="stage"]')
            box = stage.bounding_box() or {"x": 0, "y": 0, "width": 0, "height": 0}
            # All of the canvas shows film: the most that there is to paint.
            page.keyboard.press("1")
            x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
            page.mouse.move(x, y)
            page.mouse.down()
            times = []
            for step in range(STEPS):
                page.mouse.move(x + step, y + step / 2)
                times.append(
                    float(stage.locator("canvas").first.get_attribute("data-paint-ms") or 0)
                )
            page.mouse.up()
            ordered = sorted(times)
            slowest = ordered[-1 - STEPS // 20]
            painted.append(Painted(int(box["width"]), int(box["height"]), median(times), slowest))
            page.close()
        return painted
