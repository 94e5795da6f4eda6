"""A report as tables and sentences, for a terminal and for benchmarks/RESULTS.md."""

from collections.abc import Sequence

from benchmarks.throughput.report import Report
from benchmarks.throughput.timing import ROUNDS
from benchmarks.throughput.variants import MATRIX
from models.ensemble import BATCH_SIZES


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
                    row.films_per_second.text(),
                    row.of_bare.text("{:.0%}"),
                    row.times_studies.text("{:.1f}"),
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
                    row.milliseconds.text(),
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
    """The facts of the run, a sentence or two each."""
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
        f"{machine.matrix_gflops.text()} GFLOP/s.",
        f"GPU: {', '.join(machine.gpus)}; all networks ran on it."
        if machine.gpus
        else "GPU: TensorFlow saw none.",
        f"`auto` takes {machine.precision}. {emulated}",
        f"Load average before the run: {machine.load_average:.2f}. {versions}.",
        f"Loading after TensorFlow's import, in a fresh process: {report.load.text()} s.",
        f"Preprocessing, in {machine.precision} at batch {max(BATCH_SIZES)}: "
        f"{report.preprocessing.text()} ms/film, "
        f"{report.preprocessing_share.text('{:.1%}')} of the ensemble's time.",
        "The ensemble and the bare networks include the pixel check where the ensemble has one; "
        "the studies' way, `model.predict` for each file, network and view, in float32 on the "
        f"networks {f'of {report.other} ' if report.other else ''}as they were trained, does not. "
        "Decoding is in none of them.",
        *(
            f"Ensemble {report.other} beside it, in {row.precision} at batch {max(BATCH_SIZES)}: "
            f"{row.films_per_second.text()} films/s; {report.ensemble} scores "
            f"{row.times.text('{:.2f}')} times as many."
            for row in report.other_rows
        ),
    ]


def markdown(report: Report) -> str:
    """The report for benchmarks/RESULTS.md."""
    lines = [f"- {fact}" for fact in facts(report)]
    for title, (columns, rows) in tables(report).items():
        lines += ["", f"**{title}**", "", _markdown_row(columns), "|" + " --- |" * len(columns)]
        lines += [_markdown_row(row) for row in rows]
    return "\n".join(lines) + "\n"


def _markdown_row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
