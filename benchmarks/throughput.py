"""How fast the ensemble scores films, against the studies' way and against its bare networks.

    python -m benchmarks.throughput --markdown throughput.md

Everything is timed in the same run, in interleaved rounds, so that whatever else the machine does
hits every way alike. Only the ratios are claimed, each paired within its rounds. With a GPU that
TensorFlow sees, all networks run on it; CUDA_VISIBLE_DEVICES=-1 hides it.
"""

import logging
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
import typer
from pydantic_core import to_json
from rich.progress import BarColumn, Progress, TimeRemainingColumn

from models.ensemble import BATCH_SIZES, NetworkEnsemble, load_ensemble, member_inputs
from models.manifest import available_ensembles, load_manifest, shipped_version
from models.precision import choose_precision
from models.preprocessing import AS_IT_IS, Array8, View, network_input, standardise
from readfirst.cli.console import err, notice, print_table
from readfirst.errors import Misconfigured, ReadFirstError
from readfirst.settings import load_settings

if TYPE_CHECKING:
    import keras

Precision = Literal["float32", "bfloat16"]
PRECISIONS: tuple[Precision, ...] = ("float32", "bfloat16")
Task = Callable[[], object]
#: Seconds of one call of a task, once for each round.
Times = dict["Variant", list[float]]

#: Batches among which every bare network has its best one.
BARE_BATCHES = (1, 2, 4, 8, 16, 32)
#: What the network of the pixel check is called beside the members.
PIXEL_CHECK = "pixel check"
ROUNDS = 10
#: Rounds of a task that takes longer than its time.
FEWEST_ROUNDS = 5
LOADS = 3
#: Side of the matrices of the measured peak.
MATRIX = 4096
#: Float32 operations of one core in one cycle, by the widest instructions that it has: two units,
#: their lanes, and two operations where a multiplication and an addition are fused.
FLOPS_PER_CYCLE = (
    ({"avx512f"}, 64),
    ({"avx2", "fma"}, 32),
    ({"avx"}, 16),
    ({"asimd"}, 16),
    ({"sse2"}, 8),
)
SIMD = re.compile(r"sse2|sse4_[12]|avx.*|fma|f16c|amx.*|asimd.*|sve.*|i8mm|bf16")

#: What the ensemble is to reach.
SHARE_OF_BARE = 0.85
TIMES_STUDIES = 10.0
LOAD_SECONDS = 5.0

#: Imports TensorFlow, then says how long everything else takes until films can be scored.
LOADING = """
import logging
import sys
from pathlib import Path
from time import perf_counter
import tensorflow
logging.getLogger("tensorflow").setLevel("ERROR")
start = perf_counter()
from models.ensemble import load_ensemble
load_ensemble(Path(sys.argv[1]))
print(perf_counter() - start)
"""


# The processor, operations and statistics: nothing is measured here.


@dataclass(frozen=True, slots=True)
class Processor:
    """What /proc/cpuinfo tells. cores: physical ones, as far as it tells."""

    model: str
    cores: int
    megahertz: float | None
    simd: tuple[str, ...]
    #: Theoretical float32 peak at that clock; None where clock or instructions are unknown.
    peak_gflops: float | None


@dataclass(frozen=True, slots=True)
class Spread:
    """A median and the quartiles around it."""

    median: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Variant:
    """One thing that is timed. batch: films in one call."""

    way: Literal["ensemble", "studies", "bare", "preprocessing", "matrix product"]
    precision: Precision = "float32"
    batch: int = 1
    network: str = ""


#: The studies' way has no batches, and computes in what Keras takes unless told.
STUDIES = Variant("studies")


@dataclass(frozen=True, slots=True)
class Part:
    """A network of the ensemble, and the framings in which it sees each film."""

    name: str
    size: int
    views: tuple[View, ...]
    network: "keras.Model"

    @property
    def flops(self) -> int:
        """Its operations for one film, in all framings."""
        return len(self.views) * flops(self.network)


def processor(cpuinfo: str) -> Processor:
    """The processor of a /proc/cpuinfo. The clock is the fastest core's at that moment."""
    lines = re.findall(r"^([^:\n]*?)\s*:\s*(.*)$", cpuinfo, re.MULTILINE)
    said: dict[str, list[str]] = {}
    for name, value in lines:
        said.setdefault(name, []).append(value)
    flags = set(" ".join(said.get("flags", said.get("Features", []))).split())
    places = set(zip(said.get("physical id", []), said.get("core id", []), strict=False))
    cores = len(places) or len(said.get("processor", [])) or 1
    clock = max((float(value) for value in said.get("cpu MHz", [])), default=None)
    return Processor(
        model=next(iter(said.get("model name", [])), "unknown"),
        cores=cores,
        megahertz=clock,
        simd=tuple(sorted(flag for flag in flags if SIMD.fullmatch(flag))),
        peak_gflops=peak_gflops(flags, cores, clock),
    )


def peak_gflops(flags: set[str], cores: int, megahertz: float | None) -> float | None:
    """Float32 operations that the processor could do in a nanosecond; None if nobody knows."""
    per_cycle = next((flops for needed, flops in FLOPS_PER_CYCLE if needed <= flags), None)
    return None if per_cycle is None or megahertz is None else cores * megahertz * per_cycle / 1e3


def flops(network: "keras.Model") -> int:
    """Operations for one image: two for each weight of a kernel at each place of its output.

    Counts convolutions, depthwise ones too, and dense layers; all else is little beside them.
    """
    from keras import layers

    counted = (layers.Conv2D, layers.DepthwiseConv2D, layers.Dense)
    return sum(
        2 * int(np.prod(layer.output.shape[1:-1])) * int(np.prod(layer.kernel.shape))
        for layer in network.layers
        if isinstance(layer, counted)
    )


def spread(values: Sequence[float]) -> Spread:
    """Median and quartiles."""
    low, median, high = np.percentile(values, (25, 50, 75))
    return Spread(float(median), float(low), float(high))


def per_film(times: Times, variant: Variant) -> list[float]:
    """Seconds for one film, in each round."""
    return [seconds / variant.batch for seconds in times[variant]]


def best_bare(times: Times, precision: Precision, name: str) -> Variant:
    """At which of its batches a bare network is fastest."""
    batches = [v for v in times if (v.way, v.precision, v.network) == ("bare", precision, name)]
    return min(batches, key=lambda variant: spread(per_film(times, variant)).median)


def bare_per_film(times: Times, precision: Precision, views: Mapping[str, int]) -> list[float]:
    """The least seconds for one film, in each round: every network at its best batch.

    views: how often each network sees a film.
    """
    rounds = zip(
        *(per_film(times, best_bare(times, precision, name)) for name in views), strict=False
    )
    return [float(np.dot(each, list(views.values()))) for each in rounds]


def ratio(one: Sequence[float], other: Sequence[float]) -> Spread:
    """One by the other, paired within the rounds; a slow task may have fewer of them."""
    return spread([a / b for a, b in zip(one, other, strict=False)])


# Measuring.


def interleaved(
    tasks: Mapping[Variant, Task], seconds: float, tick: Callable[[], object] = lambda: None
) -> Times:
    """Time each task for about so many seconds in all, in rounds there and back, once warm.

    tick: called after each task of each round.
    """
    for task in tasks.values():
        task()
    times: Times = {variant: [] for variant in tasks}
    spent = dict.fromkeys(tasks, 0.0)
    for number in range(ROUNDS):
        for variant in list(tasks)[:: -1 if number % 2 else 1]:
            if spent[variant] < seconds or number < FEWEST_ROUNDS:
                start, calls = perf_counter(), 0
                while not calls or perf_counter() - start < seconds / ROUNDS:
                    tasks[variant]()
                    calls += 1
                elapsed = perf_counter() - start
                spent[variant] += elapsed
                times[variant].append(elapsed / calls)
            tick()
    return times


def parts_of(ensemble: NetworkEnsemble) -> list[Part]:
    """The members, and the network of the pixel check where there is one."""
    manifest = ensemble.manifest
    parts = [
        Part(member.name, member.input_size, member.views, network)
        for member, network in zip(manifest.members, ensemble.networks, strict=True)
    ]
    if manifest.pixel_check and ensemble.check is not None:
        size = manifest.pixel_check.input_size
        parts.append(Part(PIXEL_CHECK, size, (AS_IT_IS,), ensemble.check))
    return parts


def tasks_of(ensemble: NetworkEnsemble, precision: Precision, films: Array8) -> dict[Variant, Task]:
    """Everything that is timed of an ensemble in one precision."""
    parts = parts_of(ensemble)
    many = films[np.arange(max(BATCH_SIZES)) % len(films)]
    tasks: dict[Variant, Task] = {
        Variant("preprocessing", precision, len(many)): _preprocessing(ensemble, many),
    }
    for size in BATCH_SIZES:
        tasks[Variant("ensemble", precision, size)] = _predicting(ensemble, many[:size])
    for part in parts:
        for size in BARE_BATCHES:
            tasks[Variant("bare", precision, size, part.name)] = _bare(part, size)
    return tasks


def matrix_product() -> Task:
    """The product of two square float32 matrices, by numpy."""
    a, b = np.random.default_rng(0).random((2, MATRIX, MATRIX), dtype=np.float32)
    result = np.empty_like(a)
    return lambda: np.matmul(a, b, out=result)


def chest_films(ensemble: NetworkEnsemble) -> Array8:
    """The sample films, model-ready, without those that the pixel check would refuse."""
    from ingest.pixels.display import display_image
    from readfirst.samples import sample_files

    films = np.stack([standardise(display_image(path)) for path in sample_files()])
    kept: Array8 = films[ensemble.is_chest(films)]
    if not len(kept):
        raise Misconfigured(f"Ensemble {ensemble.version} refuses every sample film.")
    return kept


def load_seconds(folder: Path) -> list[float]:
    """How long fresh processes take to load an ensemble, once TensorFlow is imported."""
    command = [sys.executable, "-c", LOADING, str(folder.absolute())]
    return [
        float(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
        for _ in range(LOADS)
    ]


def _predicting(ensemble: NetworkEnsemble, films: Array8) -> Task:
    return lambda: ensemble.predict(films)


def studies_way(ensemble: NetworkEnsemble, films: Array8) -> Task:
    """`model.predict` for each file, network and view. ensemble: its networks as trained."""
    members = ensemble.manifest.members
    for network in ensemble.networks:
        # As the studies do.
        network.compile(loss="binary_crossentropy")

    def score() -> None:
        for film in films:
            for member, network in zip(members, ensemble.networks, strict=True):
                for view in member.views:
                    one = network_input(film[np.newaxis], member.input_size, view)
                    network.predict(one, verbose=0)

    return score


def _preprocessing(ensemble: NetworkEnsemble, films: Array8) -> Task:
    rule = ensemble.manifest.pixel_check

    def prepare() -> None:
        if rule is not None:
            network_input(films, rule.input_size)
        for _ in member_inputs(ensemble.manifest.members, films):
            pass

    return prepare


def _bare(part: Part, batch: int) -> Task:
    """The network's compiled function of exactly this batch, on grey values already in place."""
    import tensorflow as tf

    shape = (batch, part.size, part.size, 1)
    grey = tf.constant(np.random.default_rng(0).uniform(0, 255, shape).astype(np.float32))
    function = tf.function(
        lambda images: part.network(images, training=False), jit_compile=part.network.jit_compile
    ).get_concrete_function(tf.TensorSpec(shape, tf.float32))
    return lambda: function(grey).numpy()


# The report.


@dataclass(frozen=True, slots=True)
class Machine:
    """On what it was measured."""

    processor: Processor
    #: GFLOP/s of numpy's matrix product, in the same rounds.
    matrix_gflops: Spread
    gpus: tuple[str, ...]
    #: Load average of the last minute before the run began.
    load_average: float
    #: What `auto` takes here; if float32, bfloat16 is only emulated.
    precision: Precision
    versions: dict[str, str]


@dataclass(frozen=True, slots=True)
class Row:
    """One way of scoring films. batch: None where each network has its best one."""

    precision: Precision
    way: str
    batch: int | None
    films_per_second: Spread
    #: Share of the speed of the bare networks, and multiple of that of the studies' way.
    of_bare: Spread
    times_studies: Spread
    gflops: float
    #: Shares of the processor's theoretical peak and of the matrix product; None on a GPU.
    of_peak: float | None
    of_matrix: float | None


@dataclass(frozen=True, slots=True)
class NetworkRow:
    """One bare network at its best batch."""

    precision: Precision
    name: str
    size: int
    views: int
    #: For one film in all its framings.
    gflop: float
    batch: int
    milliseconds: Spread
    gflops: float


@dataclass(frozen=True, slots=True)
class Target:
    """What was asked for, and whether it was reached."""

    text: str
    reached: str
    met: bool


@dataclass(frozen=True, slots=True)
class Report:
    """All of one run."""

    ensemble: str
    seconds: float
    machine: Machine
    #: Seconds, in fresh processes.
    load: Spread
    rows: list[Row]
    networks: list[NetworkRow]
    #: Milliseconds of preprocessing for one film, and their share of the ensemble's time.
    preprocessing: Spread
    preprocessing_share: Spread
    targets: list[Target]


def make_report(
    ensemble: NetworkEnsemble, times: Times, load: list[float], seconds: float, load_average: float
) -> Report:
    """Draw up what was measured. ensemble: one of those that were timed."""
    parts = parts_of(ensemble)
    machine = _machine(times, load_average)
    rows = [row for precision in PRECISIONS for row in _rows(times, precision, parts, machine)]
    prepared, scored = (
        Variant(way, machine.precision, max(BATCH_SIZES)) for way in ("preprocessing", "ensemble")
    )
    return Report(
        ensemble=ensemble.version,
        seconds=seconds,
        machine=machine,
        load=spread(load),
        rows=rows,
        networks=[
            _network_row(times, precision, part) for precision in PRECISIONS for part in parts
        ],
        preprocessing=spread([1e3 * value for value in per_film(times, prepared)]),
        preprocessing_share=ratio(times[prepared], times[scored]),
        targets=_targets(rows, machine.precision, spread(load)),
    )


def tables(report: Report) -> dict[str, tuple[list[str], list[list[str]]]]:
    """The report's tables: title → columns and rows."""
    ways = ["precision", "way", "batch", "films/s (quartiles)", "of bare", "× studies"]
    ways += ["GFLOP/s", "of peak", "of matrix product"]
    each = ["precision", "network", "side", "views", "GFLOP/film", "best batch"]
    each += ["ms/film (quartiles)", "GFLOP/s"]
    return {
        "Films per second": (
            ways,
            [
                [
                    row.precision,
                    row.way,
                    str(row.batch or "best"),
                    _text(row.films_per_second),
                    _text(row.of_bare, "{:.0%}"),
                    _text(row.times_studies, "{:.1f}"),
                    f"{row.gflops:.0f}",
                    "" if row.of_peak is None else f"{row.of_peak:.0%}",
                    "" if row.of_matrix is None else f"{row.of_matrix:.0%}",
                ]
                for row in report.rows
            ],
        ),
        "Bare networks": (
            each,
            [
                [
                    row.precision,
                    row.name,
                    str(row.size),
                    str(row.views),
                    f"{row.gflop:.2f}",
                    str(row.batch),
                    _text(row.milliseconds),
                    f"{row.gflops:.0f}",
                ]
                for row in report.networks
            ],
        ),
        "Targets": (
            ["target", "reached", ""],
            [[t.text, t.reached, "met" if t.met else "missed"] for t in report.targets],
        ),
    }


def facts(report: Report) -> list[str]:
    """What a reader must know of the run, a sentence or two each."""
    machine, chip = report.machine, report.machine.processor
    clock = "" if chip.megahertz is None else f" at {chip.megahertz:.0f} MHz"
    peak = (
        "theoretical float32 peak unknown"
        if chip.peak_gflops is None
        else f"theoretical float32 peak {chip.peak_gflops:.0f} GFLOP/s at that clock"
    )
    emulated = (
        "bfloat16 is only emulated here."
        if machine.precision == "float32"
        else "This machine computes in bfloat16."
    )
    versions = ", ".join(f"{name} {version}" for name, version in machine.versions.items())
    return [
        f"Ensemble {report.ensemble}; {report.seconds:g} s for each measurement in {ROUNDS} "
        "interleaved rounds; medians and quartiles; ratios are paired within the rounds.",
        f"Processor: {chip.model}, {chip.cores} cores{clock}; {' '.join(chip.simd)}.",
        f"{peak[0].upper()}{peak[1:]}; numpy's float32 product of matrices of {MATRIX} reached "
        f"{_text(machine.matrix_gflops)} GFLOP/s.",
        f"GPU: {', '.join(machine.gpus)}; all networks ran on it."
        if machine.gpus
        else "GPU: TensorFlow saw none.",
        f"`auto` takes {machine.precision}. {emulated}",
        f"Load average before the run: {machine.load_average:.2f}. {versions}.",
        f"Loading after TensorFlow's import, in a fresh process: {_text(report.load)} s.",
        f"Preprocessing, in {machine.precision} at batch {max(BATCH_SIZES)}: "
        f"{_text(report.preprocessing)} ms/film, "
        f"{_text(report.preprocessing_share, '{:.1%}')} of the ensemble's time.",
        "The ensemble and the bare networks include the pixel check where the ensemble has one; "
        "the studies' way, `model.predict` for each file, network and view, in float32 on the "
        "networks as they were trained, does not. Decoding is in none of them.",
    ]


def markdown(report: Report) -> str:
    """The report for benchmarks/RESULTS.md."""
    lines = [f"- {fact}" for fact in facts(report)]
    for title, (columns, rows) in tables(report).items():
        lines += ["", f"**{title}**", "", _markdown_row(columns), "|" + " --- |" * len(columns)]
        lines += [_markdown_row(row) for row in rows]
    return "\n".join(lines) + "\n"


def _machine(times: Times, load_average: float) -> Machine:
    import keras
    import tensorflow as tf

    try:
        cpuinfo = Path("/proc/cpuinfo").read_text()
    except OSError:
        cpuinfo = ""
    gpus = tf.config.list_physical_devices("GPU")
    details = [tf.config.experimental.get_device_details(gpu) for gpu in gpus]
    products = [2e-9 * MATRIX**3 / seconds for seconds in times[Variant("matrix product")]]
    return Machine(
        processor=processor(cpuinfo),
        matrix_gflops=spread(products),
        gpus=tuple(str(detail.get("device_name", "unknown")) for detail in details),
        load_average=load_average,
        precision=choose_precision("auto"),
        versions={
            "TensorFlow": tf.__version__,
            "Keras": keras.__version__,
            "numpy": np.__version__,
        },
    )


def _rows(times: Times, precision: Precision, parts: Sequence[Part], machine: Machine) -> list[Row]:
    bare = bare_per_film(times, precision, {part.name: len(part.views) for part in parts})
    studies = per_film(times, STUDIES)
    work = 1e-9 * sum(part.flops for part in parts)
    members = 1e-9 * sum(part.flops for part in parts if part.name != PIXEL_CHECK)
    ways: list[tuple[str, int | None, list[float], float]] = [
        ("ensemble", size, per_film(times, Variant("ensemble", precision, size)), work)
        for size in BATCH_SIZES
    ]
    ways.append(("bare networks", None, bare, work))
    if precision == STUDIES.precision:
        ways.append(("studies' way", 1, studies, members))
    rows = []
    for way, batch, seconds, gflop in ways:
        speed = spread([1 / value for value in seconds])
        gflops = gflop * speed.median
        peak = None if machine.gpus else machine.processor.peak_gflops
        rows.append(
            Row(
                precision=precision,
                way=way,
                batch=batch,
                films_per_second=speed,
                of_bare=ratio(bare, seconds),
                times_studies=ratio(studies, seconds),
                gflops=gflops,
                of_peak=None if peak is None else gflops / peak,
                of_matrix=None if machine.gpus else gflops / machine.matrix_gflops.median,
            )
        )
    return rows


def _network_row(times: Times, precision: Precision, part: Part) -> NetworkRow:
    best = best_bare(times, precision, part.name)
    seconds = [len(part.views) * value for value in per_film(times, best)]
    return NetworkRow(
        precision=precision,
        name=part.name,
        size=part.size,
        views=len(part.views),
        gflop=1e-9 * part.flops,
        batch=best.batch,
        milliseconds=spread([1e3 * value for value in seconds]),
        gflops=1e-9 * part.flops / spread(seconds).median,
    )


def _targets(rows: Sequence[Row], precision: Precision, load: Spread) -> list[Target]:
    """Judged in the precision that `auto` takes, at the ensemble's best batch."""
    ours = [row for row in rows if (row.way, row.precision) == ("ensemble", precision)]
    best = max(ours, key=lambda row: row.films_per_second.median)
    where = f"{precision}, batch {best.batch}"
    return [
        Target(
            f"at least {SHARE_OF_BARE:.0%} of the speed of the bare networks ({where})",
            _text(best.of_bare, "{:.0%}"),
            best.of_bare.median >= SHARE_OF_BARE,
        ),
        Target(
            f"at least {TIMES_STUDIES:g} times the studies' way ({where})",
            _text(best.times_studies, "{:.1f}"),
            best.times_studies.median >= TIMES_STUDIES,
        ),
        Target(
            f"loaded in less than {LOAD_SECONDS:g} s after TensorFlow's import",
            f"{_text(load)} s",
            load.median < LOAD_SECONDS,
        ),
    ]


def _text(value: Spread, form: str = "{:.3g}") -> str:
    low, median, high = (form.format(v) for v in (value.low, value.median, value.high))
    return median if low == high else f"{median} ({low}–{high})"


def _markdown_row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


# The command.


def find_ensemble(ensemble: str | None) -> Path:
    """The folder of a version; a folder stands for itself. Raises Misconfigured."""
    if ensemble is not None and Path(ensemble).is_dir():
        return Path(ensemble)
    version = ensemble or shipped_version()
    found = available_ensembles(load_settings().ensembles_path)
    if version not in found:
        raise Misconfigured(f"There is no ensemble {version}; see `readfirst models list`.")
    return found[version]


def run(folder: Path, seconds: float) -> Report:
    """Measure the ensemble in a folder."""
    import keras

    if keras.config.backend() != "tensorflow":
        raise Misconfigured("The benchmark measures TensorFlow: set KERAS_BACKEND=tensorflow.")
    load_average = os.getloadavg()[0]
    if load_average > 0.5:
        notice(f"[yellow]The machine is busy (load average {load_average:.2f}).[/yellow]")
    with err.status(f"Loading ensemble {load_manifest(folder).version} in fresh processes …"):
        load = load_seconds(folder)
    tasks: dict[Variant, Task] = {Variant("matrix product"): matrix_product()}
    for precision in PRECISIONS:
        with err.status(f"Compiling in {precision} …"):
            ensemble = load_ensemble(folder, precision)
            films = chest_films(ensemble)
            tasks |= tasks_of(ensemble, precision, films)
    tasks[STUDIES] = studies_way(
        load_ensemble(folder, STUDIES.precision, as_trained=True), films[:1]
    )
    columns = ("Measuring", BarColumn(), "{task.percentage:.0f} %", TimeRemainingColumn())
    with Progress(*columns, console=err) as progress:
        bar = progress.add_task("", total=ROUNDS * len(tasks))
        times = interleaved(tasks, seconds, lambda: progress.advance(bar))
    return make_report(ensemble, times, load, seconds, load_average)


def main(
    ensemble: Annotated[
        str | None, typer.Option(help="Version, or folder. Default: the newest shipped.")
    ] = None,
    seconds: Annotated[float, typer.Option(min=0, help="For each measurement, in all.")] = 5.0,
    json: Annotated[Path | None, typer.Option(help="Write all figures to this file.")] = None,
    markdown_file: Annotated[
        Path | None, typer.Option("--markdown", help="Write the tables to this file.")
    ] = None,
) -> None:
    """Films per second of an ensemble, against the studies' way and its bare networks."""
    try:
        report = run(find_ensemble(ensemble), seconds)
    except ReadFirstError as error:
        notice(f"[red]{error}[/red]")
        raise typer.Exit(2 if isinstance(error, Misconfigured) else 1) from error
    for title, (columns, rows) in tables(report).items():
        print_table(title, columns, rows)
    for fact in facts(report):
        print(fact)
    if json:
        json.write_bytes(to_json(report, indent=2) + b"\n")
    if markdown_file:
        markdown_file.write_text(markdown(report))


if __name__ == "__main__":
    # TensorFlow's notices at its start, and of functions compiled anew, are not for readers.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    logging.getLogger("tensorflow").setLevel("ERROR")
    typer.run(main)
