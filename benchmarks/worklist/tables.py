"""The section for `benchmarks/RESULTS.md`."""

from benchmarks.worklist.asking import ROUNDS, Row

#: What the first page is to take, in milliseconds.
TARGET = 100.0


def verdict(rows: list[Row]) -> str:
    """Whether the first page came soon enough, on every database and at every size."""
    firsts = [row for row in rows if row.request.startswith("first page")]
    met = all(row.median < TARGET for row in firsts)
    return f"First page under {TARGET:g} ms: {'yes' if met else 'no'}"


def markdown(rows: list[Row]) -> str:
    """What the server took."""
    columns = list(dict.fromkeys((row.database, row.studies) for row in rows))
    lines = [
        "## Worklist",
        "",
        f"Milliseconds at the server, median of at most {ROUNDS} (processor time of its process).",
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
    return "\n".join(lines) + "\n"
