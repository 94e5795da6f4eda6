"""The measured times, as tables."""

from collections.abc import Sequence

from benchmarks.viewing.films import SMALL, Loaded, Painted
from benchmarks.viewing.maps import Explained

ROWS, COLUMNS = 3000, 2500
#: Sixty frames a second.
FRAME_TARGET = 1000 / 60


def markdown(
    loaded: Sequence[Loaded],
    painted: Sequence[Painted],
    explained: Sequence[Explained],
    load_average: float,
) -> str:
    """The report for benchmarks/RESULTS.md."""
    lines = [
        f"A film of {COLUMNS:,} x {ROWS:,} pixels, 12 bits (JPEG baseline 8), from a real server "
        "on loopback, guard and audit log and all: the small film that is shown first (at most "
        f"{SMALL} samples a side), and every pixel after it. Medians and quartiles in ms. Load "
        f"average before the run: {load_average:.2f}.",
        "",
        *_table(*loaded_rows(loaded)),
    ]
    if painted:
        lines += [
            "",
            "Painting a frame while the window is dragged at 1:1, in Chromium without a GPU:",
            "",
            *_table(*painted_rows(painted)),
            "",
            verdict(painted),
        ]
    lines += ["", *_table(*explained_rows(explained))] if explained else []
    return "\n".join(lines) + "\n"


def verdict(painted: Sequence[Painted]) -> str:
    """The sentence that says whether frames are painted sixty times a second."""
    slow = [f"{each.width} x {each.height}" for each in painted if each.slowest > FRAME_TARGET]
    result = f"missed at {', '.join(slow)}" if slow else "met"
    return f"Target: a frame in {FRAME_TARGET:.1f} ms, nineteen of twenty; {result}."


def loaded_rows(loaded: Sequence[Loaded]) -> tuple[list[str], list[list[str]]]:
    """Columns and rows."""
    columns = ["encoding", "small film", "then every pixel", "MB sent"]
    form = "{:.0f}"
    return columns, [
        [film.name, film.small.text(form), film.every.text(form), f"{film.megabytes:.1f}"]
        for film in loaded
    ]


def painted_rows(painted: Sequence[Painted]) -> tuple[list[str], list[list[str]]]:
    """Columns and rows."""
    return ["canvas", "median, ms", "slowest of twenty, ms"], [
        [f"{canvas.width} x {canvas.height}", f"{canvas.median:.1f}", f"{canvas.slowest:.1f}"]
        for canvas in painted
    ]


def explained_rows(explained: Sequence[Explained]) -> tuple[list[str], list[list[str]]]:
    """Columns and rows."""
    return ["heat map", "the first, s", "each further one, s"], [
        [heat_map.method, f"{heat_map.first:.2f}", f"{heat_map.next:.2f}"] for heat_map in explained
    ]


def _table(columns: list[str], rows: list[list[str]]) -> list[str]:
    head = ["| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns)]
    return head + ["| " + " | ".join(row) + " |" for row in rows]
