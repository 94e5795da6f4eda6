"""Sample studies for the demo and the tests. Where they come from: ATTRIBUTION.md beside them."""

import json
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
SUFFIXES = (".dcm", ".jpg", ".png")


@dataclass(frozen=True, slots=True)
class Sample:
    """A file, and the class of the film it was made from: `NORMAL` or `PNEUMONIA`."""

    path: Path
    source: str
    label: str


def sample_files() -> list[Path]:
    """The sample files, by name."""
    return sorted(path for path in FOLDER.iterdir() if path.suffix in SUFFIXES)


def samples() -> list[Sample]:
    """The sample files with what is known of them."""
    index = json.loads((FOLDER / "index.json").read_text())
    return [Sample(FOLDER / row["file"], row["source"], row["label"]) for row in index]
