"""The report of a run: speeds, shares, and the targets with their results."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.ratios import Spread, ratio, spread
from benchmarks.throughput.processor import Processor, processor
from benchmarks.throughput.timing import (
    PRECISIONS,
    STUDIES,
    Precision,
    Timings,
    Variant,
    bare_per_film,
    best_bare,
    per_film,
)
from benchmarks.throughput.variants import MATRIX, PIXEL_CHECK, TimedNetwork, timed_networks
from models.ensemble import BATCH_SIZES, NetworkEnsemble
from models.precision import choose_precision

#: What the ensemble is to reach.
SHARE_OF_BARE = 0.85
TIMES_STUDIES = 10.0
LOAD_SECONDS = 5.0


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
class SpeedRow:
    """A way of scoring films. batch: None where each network has its best one."""

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
    """A bare network at its best batch."""

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
class OtherRow:
    """Another ensemble at the largest batch. times: by how much this one is faster."""

    precision: Precision
    films_per_second: Spread
    times: Spread


@dataclass(frozen=True, slots=True)
class Target:
    """A target, and its result."""

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
    rows: list[SpeedRow]
    networks: list[NetworkRow]
    #: Milliseconds of preprocessing for one film, and their share of the ensemble's time.
    preprocessing: Spread
    preprocessing_share: Spread
    targets: list[Target]
    #: The other ensemble that it is compared with, by its version, and how fast that is.
    other: str | None
    other_rows: list[OtherRow]


def make_report(
    ensemble: NetworkEnsemble,
    times: Timings,
    load: list[float],
    seconds: float,
    load_average: float,
    other: str | None = None,
) -> Report:
    """Draw up what was measured. ensemble: one of those that were timed. other: the version of
    that which it is compared with; the studies' way is timed on the networks of that one then.
    """
    parts = timed_networks(ensemble)
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
        other=other,
        other_rows=[_other_row(times, precision) for precision in PRECISIONS if other],
    )


def _machine(times: Timings, load_average: float) -> Machine:
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


def _rows(
    times: Timings, precision: Precision, parts: Sequence[TimedNetwork], machine: Machine
) -> list[SpeedRow]:
    bare = bare_per_film(times, precision, {part.name: len(part.views) for part in parts})
    studies = per_film(times, STUDIES)
    work = 1e-9 * sum(part.flops for part in parts)
    members = 1e-9 * sum(part.flops for part in parts if part.name != PIXEL_CHECK)
    variants: list[tuple[str, int | None, list[float], float]] = [
        ("ensemble", size, per_film(times, Variant("ensemble", precision, size)), work)
        for size in BATCH_SIZES
    ]
    variants.append(("bare networks", None, bare, work))
    if precision == STUDIES.precision:
        variants.append(("studies' way", 1, studies, members))
    rows = []
    for way, batch, seconds, gflop in variants:
        speed = spread([1 / value for value in seconds])
        gflops = gflop * speed.median
        peak = None if machine.gpus else machine.processor.peak_gflops
        rows.append(
            SpeedRow(
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


def _network_row(times: Timings, precision: Precision, part: TimedNetwork) -> NetworkRow:
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


def _other_row(times: Timings, precision: Precision) -> OtherRow:
    size = max(BATCH_SIZES)
    theirs = per_film(times, Variant("other ensemble", precision, size))
    ours = per_film(times, Variant("ensemble", precision, size))
    return OtherRow(precision, spread([1 / value for value in theirs]), ratio(theirs, ours))


def _targets(rows: Sequence[SpeedRow], precision: Precision, load: Spread) -> list[Target]:
    """Judged in the precision that `auto` takes, at the ensemble's best batch."""
    ours = [row for row in rows if (row.way, row.precision) == ("ensemble", precision)]
    best = max(ours, key=lambda row: row.films_per_second.median)
    where = f"{precision}, batch {best.batch}"
    return [
        Target(
            f"at least {SHARE_OF_BARE:.0%} of the speed of the bare networks ({where})",
            best.of_bare.text("{:.0%}"),
            best.of_bare.median >= SHARE_OF_BARE,
        ),
        Target(
            f"at least {TIMES_STUDIES:g} times the studies' way ({where})",
            best.times_studies.text("{:.1f}"),
            best.times_studies.median >= TIMES_STUDIES,
        ),
        Target(
            f"loaded in less than {LOAD_SECONDS:g} s after TensorFlow's import",
            f"{load.text()} s",
            load.median < LOAD_SECONDS,
        ),
    ]
