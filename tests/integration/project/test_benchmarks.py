"""The benchmarks count and reckon rightly, and run from end to end."""

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from benchmarks import decoding
from benchmarks.commits import __main__ as commits
from benchmarks.ratios import Spread, ratio, spread
from benchmarks.throughput import __main__ as command_line
from benchmarks.throughput import variants
from benchmarks.throughput.processor import peak_gflops, processor
from benchmarks.throughput.timing import (
    FEWEST_ROUNDS,
    PRECISIONS,
    ROUNDS,
    Variant,
    bare_per_film,
    best_bare,
    interleaved,
)
from benchmarks.throughput.variants import flops, timed_networks
from benchmarks.viewing import films
from benchmarks.viewing.maps import Explained
from benchmarks.viewing.tables import markdown
from benchmarks.worklist import browser_bench, query_bench, seed_data
from benchmarks.worklist import tables as worklist_tables
from db.session import Database
from db.worklist.filters import WorklistFilter
from db.worklist.queries import reading_order
from models.ensemble import NetworkEnsemble
from models.manifest import SHIPPED, Estimate, PixelCheck, find_ensembles, load_manifest
from models.preprocessing import AS_IT_IS, FilmView
from tests.support.studies import AS_STORED

CPUINFO = """
processor	: {number}
model name	: Some Chip
cpu MHz		: {clock}
physical id	: 0
core id		: {core}
flags		: fpu sse2 {flags}
"""
#: Two in each multiply-add: 8 x 8 places of 3 x 3 x 4, 4 x 4 places of 3 x 3 x 4, and 4 weights.
TINY_FLOPS = 2 * (64 * 36 + 16 * 36 + 4)


def tiny_network() -> Any:
    from keras import Input, Model, layers

    image = Input((8, 8, 1))
    x = layers.Conv2D(4, 3, padding="same")(layers.Rescaling(1 / 255)(image))
    x = layers.DepthwiseConv2D(3, strides=2, padding="same")(layers.BatchNormalization()(x))
    x = layers.GlobalAveragePooling2D()(x)
    return Model(image, layers.Dense(1, activation="sigmoid")(x))


def tiny_ensemble() -> NetworkEnsemble:
    manifest = load_manifest(next(iter(find_ensembles([SHIPPED]).values())))
    views = (AS_IT_IS, FilmView(mirrored=True))
    member = manifest.members[0].model_copy(
        update={"name": "tiny", "input_size": 8, "weight": 1.0, "views": views}
    )
    check = PixelCheck(
        network="tiny",
        file="none",
        sha256="none",
        input_size=8,
        parameters=1,
        threshold=1e-9,
        false_refusals=Estimate(value=0, low=0, high=0),
        caught={},
    )
    changes = {"members": (member,), "pixel_check": check}
    return NetworkEnsemble(manifest.model_copy(update=changes), [tiny_network()], tiny_network())


def test_operations_are_counted_from_the_layers() -> None:
    assert flops(tiny_network()) == TINY_FLOPS
    parts = timed_networks(tiny_ensemble())
    assert [(part.name, part.flops) for part in parts] == [
        ("tiny", 2 * TINY_FLOPS),
        ("pixel check", TINY_FLOPS),
    ]


@pytest.mark.parametrize(
    ("flags", "per_cycle"),
    [
        ({"sse2", "avx", "avx2", "fma", "avx512f"}, 64),
        ({"sse2", "avx", "avx2", "fma"}, 32),
        ({"sse2", "avx", "avx2"}, 16),
        ({"sse2"}, 8),
    ],
)
def test_the_peak_follows_from_the_flags(flags: set[str], per_cycle: int) -> None:
    assert peak_gflops(flags, 4, 2500.0) == pytest.approx(4 * 2.5 * per_cycle)
    assert peak_gflops(flags, 4, None) is None
    assert peak_gflops(set(), 4, 2500.0) is None


def test_threads_of_one_core_are_no_cores() -> None:
    text = "".join(
        CPUINFO.format(number=number, core=number // 2, clock=2000 + number, flags="avx2 fma lm")
        for number in range(4)
    )
    chip = processor(text)
    assert (chip.model, chip.cores, chip.megahertz) == ("Some Chip", 2, 2003)
    assert chip.simd == ("avx2", "fma", "sse2")
    assert chip.peak_gflops == pytest.approx(2 * 2.003 * 32)
    nothing = processor("")
    assert (nothing.model, nothing.cores, nothing.peak_gflops) == ("unknown", 1, None)


def test_statistics_are_paired_within_the_rounds() -> None:
    assert spread([1.0, 2.0, 3.0, 4.0, 5.0]) == Spread(3.0, 2.0, 4.0)
    assert ratio([2.0, 20.0, 200.0], [1.0, 10.0]) == Spread(2.0, 2.0, 2.0)


def test_every_bare_network_counts_at_its_best_batch_and_once_for_each_view() -> None:
    times = {
        Variant("bare", "float32", 1, "a"): [1.0, 3.0],
        Variant("bare", "float32", 8, "a"): [4.0, 8.0],
        Variant("bare", "float32", 1, "b"): [0.25, 0.25],
        Variant("bare", "bfloat16", 1, "a"): [0.1, 0.1],
    }
    assert best_bare(times, "float32", "a").batch == 8
    assert bare_per_film(times, "float32", {"a": 2, "b": 1}) == [1.25, 2.25]


@pytest.mark.parametrize(("seconds", "rounds"), [(0.0, FEWEST_ROUNDS), (0.05, ROUNDS)])
def test_a_task_is_timed_until_its_time_is_spent(seconds: float, rounds: int) -> None:
    ticks: list[None] = []
    tasks = {Variant("studies"): lambda: None, Variant("ensemble"): lambda: None}
    times = interleaved(tasks, seconds, lambda: ticks.append(None))
    assert len(ticks) == 2 * ROUNDS
    for values in times.values():
        # What else the machine does may use up a task's time before its last round.
        assert FEWEST_ROUNDS <= len(values) <= rounds


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> typer.Typer:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(variants, "MATRIX", 64)
    monkeypatch.setattr(variants, "BARE_BATCHES", (1, 2))
    monkeypatch.setattr(command_line, "load_ensemble", lambda *_, **__: tiny_ensemble())
    monkeypatch.setattr(variants, "load_seconds", lambda _: [1.0, 2.0, 3.0])
    app = typer.Typer()
    app.command()(command_line.main)
    return app


def test_a_run_writes_its_tables(command: typer.Typer, tmp_path: Path) -> None:
    arguments = ["--seconds", "0", "--json", "a.json", "--markdown", "a.md"]
    result = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.stderr
    assert "Films per second" in result.stdout
    report = json.loads((tmp_path / "a.json").read_text())
    ways = [(row["precision"], row["way"], row["batch"]) for row in report["rows"]]
    for precision in PRECISIONS:
        assert [(way, batch) for name, way, batch in ways if name == precision] == [
            ("ensemble", 1),
            ("ensemble", 8),
            ("ensemble", 32),
            ("bare networks", None),
            *([("studies' way", 1)] if precision == "float32" else []),
        ]
    bare, studies = report["rows"][3], report["rows"][4]
    assert bare["of_bare"] == {"median": 1.0, "low": 1.0, "high": 1.0}
    assert studies["times_studies"] == {"median": 1.0, "low": 1.0, "high": 1.0}
    assert all(row["films_per_second"]["median"] > 0 for row in report["rows"])
    assert report["networks"][0]["gflop"] == pytest.approx(2e-9 * TINY_FLOPS)
    assert report["load"] == {"median": 2.0, "low": 1.5, "high": 2.5}
    assert [target["met"] for target in report["targets"]][-1] is True
    text = (tmp_path / "a.md").read_text()
    assert "| float32 | ensemble | 32 |" in text
    assert "| bfloat16 | tiny | 8 | 2 |" in text
    assert "GPU: " in text


def test_an_ensemble_that_is_not_there_is_named(command: typer.Typer) -> None:
    result = CliRunner().invoke(command, ["--ensemble", "none-such"])
    assert result.exit_code == 2
    assert "There is no ensemble none-such" in result.stderr


def test_a_film_is_measured_in_every_encoding_and_the_table_says_what_was_missed(
    tmp_path: Path,
) -> None:
    film = decoding.a_film(1000, 900)
    paths = {each: tmp_path / str(n) for n, each in enumerate(decoding.ENCODINGS)}
    for encoding, path in paths.items():
        decoding.write(encoding, film, path)
    rows = decoding.measure(paths, rounds=1)
    assert [row.name for row in rows] == [each.name for each in decoding.ENCODINGS]
    assert all(row.full.median > 0 and row.scored.median > 0 for row in rows)
    text = decoding.markdown(rows, 0.0)
    assert text.count("\n| ") == len(rows) + 2, "and the head of two lines"
    once = spread([1.0])
    slow = decoding.DecodingRow("slow", 8, 1.0, once, once, once, reduces=True)
    assert "missed by slow" in decoding.verdict([slow])


def test_a_film_is_served_in_each_encoding_and_the_report_says_what_was_missed() -> None:
    chosen = [each for each in decoding.ENCODINGS if each.name in ("uncompressed", "JPEG-LS")]
    loaded, painted = films.measure(decoding.a_film(600, 700), chosen, 1, browser=False)
    assert [row.name for row in loaded] == ["uncompressed", "JPEG-LS"]
    assert all(row.small.median > 0 and row.every.median > 0 for row in loaded)
    assert all(row.megabytes == pytest.approx(0.84, abs=0.01) for row in loaded)
    assert painted == []
    slow = films.Painted(800, 600, 5.0, 20.0)
    explained = [Explained("Grad-CAM", 1.0, 0.2)]
    text = markdown(loaded, [slow], explained, 0.0)
    assert "missed at 800 x 600" in text
    assert "| Grad-CAM | 1.00 | 0.20 |" in text


def test_the_worklist_is_filled_and_asked_in_steps(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seed_data, "UNREAD", 100)
    monkeypatch.setattr(query_bench, "ROUNDS", 1)
    monkeypatch.setattr(query_bench, "FEWEST", 1)
    seed_data.fill(database, 1, 300)
    seed_data.fill(database, 301, 500)
    with database.read() as session:
        unread = reading_order(
            session, limit=500, which=WorklistFilter(unread=True), display=AS_STORED
        )
        (named,) = reading_order(
            session, limit=9, which=WorklistFilter(text="a499"), display=AS_STORED
        )
    assert len(unread) == 200
    assert (named.patient_id, named.images[0].sha256) == ("P-499", seed_data.digest(499))
    rows = list(query_bench.measured("a database", database, 500))
    assert len({row.request for row in rows}) == len(rows) > 20
    assert all(row.median > 0 for row in rows)
    waited = [browser_bench.Waited(500, "a key", 10.0, 30.0, 20.0)]
    text = worklist_tables.markdown(rows, waited, 0.0)
    assert "| a key | 10 (20) |" in text
    assert text.count("\n| ") == len(rows) + len(waited) + 4, "and two heads of two lines"


class Clocked:
    """A side of a comparison: takes fixed times, and notes the order of the measures."""

    def __init__(self, name: str, milliseconds: float, order: list[str]) -> None:
        self.name, self.milliseconds, self.order = name, milliseconds, order

    def measures(self) -> list[str]:
        return ["a list", f"only {self.name}"]

    def measure(self, name: str) -> tuple[float, float]:
        self.order.append(self.name)
        return self.milliseconds, self.milliseconds / 2


def test_a_commit_is_measured_by_a_probe_of_its_own(tmp_path: Path) -> None:
    assert commits.probe_of(commits.ROOT, "abc") == commits.OWN_PROBE
    assert commits.probe_of(tmp_path, "e3503c0").is_file()
    with pytest.raises(typer.BadParameter, match="cannot measure itself"):
        commits.probe_of(tmp_path, "abc")


def test_measures_are_chosen_by_a_part_of_their_names() -> None:
    order: list[str] = []
    sides = Clocked("before", 10.0, order), Clocked("now", 15.0, order)
    assert not list(commits.compared(*sides, 3, ["a study"]))  # type: ignore[arg-type]
    assert len(list(commits.compared(*sides, 3, ["a study", "list"]))) == 1  # type: ignore[arg-type]


def test_two_commits_are_asked_in_turns_for_what_both_have() -> None:
    order: list[str] = []
    before, now = Clocked("before", 10.0, order), Clocked("now", 15.0, order)
    ((name, old, new, by, processor),) = commits.compared(before, now, 3)  # type: ignore[arg-type]
    assert (name, old.median, new.median) == ("a list", 10.0, 15.0)
    assert (by.median, processor.median) == (1.5, 1.5)
    assert order == ["now", "before", "before", "now"] * 2
    text = commits.markdown({"SQLite": [(name, old, new, by, processor)]}, "abc", 9, 3, 0.1)
    assert "| SQLite | a list | 10.0 | 15.0 | 1.50 | 1.50 |" in text
