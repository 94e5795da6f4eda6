"""Training curves: the figures of each epoch, in a CSV file."""

import csv
from pathlib import Path


def curves_path(folder: Path, name: str) -> Path:
    """Return the path of the curves of a network, by its name."""
    return folder / f"{name}.curves.csv"


def read_curves(path: Path) -> dict[str, list[float]]:
    """Read the figures of each epoch, by name; none if there is no such file."""
    if not path.exists():
        return {}
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: [float(row[name]) for row in rows] for name in (rows[0] if rows else ())}


def add_to_curves(path: Path, epoch: int, figures: dict[str, float]) -> None:
    """Write the figures of one more epoch."""
    row = {"epoch": float(epoch), **{name: float(figures[name]) for name in sorted(figures)}}
    is_new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, list(row))
        if is_new:
            writer.writeheader()
        writer.writerow(row)
