"""The section for `benchmarks/RESULTS.md`."""

from benchmarks.worklist.browser_bench import TIMES, Waited
from benchmarks.worklist.query_bench import ROUNDS, RequestTiming

#: What the first page is to take, in milliseconds.
TARGET = 100.0


def verdict(rows: list[RequestTiming]) -> str:
    """The sentence that says whether first pages came soon enough on every database."""
    firsts = [row for row in rows if row.request.startswith("first page")]
    met = all(row.median < TARGET for row in firsts)
    return f"First page under {TARGET:g} ms: {'yes' if met else 'no'}"


def markdown(rows: list[RequestTiming], waited: list[Waited], load_average: float) -> str:
    """The times at the server, and the waiting times in a browser."""
    columns = list(dict.fromkeys((row.database, row.studies) for row in rows))
    lines = [
        "## Worklist",
        "",
        f"Milliseconds at the server, median of at most {ROUNDS} (processor time of its process). "
        f"Load average before the run: {load_average:.2f}.",
        "",
        "| request | " + " | ".join(f"{name}, {n:,}" for name, n in columns) + " |",
        "| --- |" + " --- |" * len(columns),
    ]
    for request in dict.fromkeys(row.request for row in rows):
        cells = [
            f"{row.median:.0f} ({row.processor:.0f})"
            for column in columns
            for row in rows
            if (row.database, row.studies) == column and row.request == request
        ]
        lines.append(f"| {request} | " + " | ".join(cells) + " |")
    return "\n".join([*lines, *_waited(waited)]) + "\n"


def _waited(waited: list[Waited]) -> list[str]:
    if not waited:
        return ["", "No browser was there."]
    sizes = list(dict.fromkeys(wait.studies for wait in waited))
    lines = [
        "",
        f"Milliseconds until the screen shows it: median of {TIMES - 1} (95th percentile). "
        "Chromium without a GPU, a server on loopback, SQLite.",
        "",
        "| somebody waits for | " + " | ".join(f"{size:,}" for size in sizes) + " |",
        "| --- |" + " --- |" * len(sizes),
    ]
    for what in dict.fromkeys(wait.what for wait in waited):
        cells = [f"{wait.median:.0f} ({wait.p95:.0f})" for wait in waited if wait.what == what]
        lines.append(f"| {what} | " + " | ".join(cells) + " |")
    return lines
