"""Golden scores: what an ensemble gave to known films when it was made, and gives here.

A difference says that files, arithmetic or code are not those that the ensemble was measured with.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.digests import file_sha256
from models.manifest import Manifest, NamedFile, load_manifest, write_manifest
from readfirst.errors import Misconfigured

GOLDEN_FILE = "golden.json"
#: bfloat16 and float32, and other batch sizes, give what differs by less.
TOLERANCE = 0.03


class GoldenScores(BaseModel):
    """Probabilities by the sha256 of each film, as the networks gave them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tolerance: float = Field(TOLERANCE, gt=0, lt=1)
    scores: dict[str, float] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class GoldenCheck:
    """The comparison of a film. differs: by more than the tolerance."""

    sha256: str
    expected: float
    computed: float
    differs: bool


def load_golden(folder: Path, manifest: Manifest) -> GoldenScores | None:
    """Read the golden scores of an ensemble, if it has some. Raises Misconfigured."""
    if manifest.golden is None:
        return None
    path = folder / manifest.golden.file
    try:
        return GoldenScores.model_validate_json(path.read_bytes())
    except OSError as error:
        raise Misconfigured(f"Ensemble {manifest.version}: {path} cannot be read.") from error
    except ValidationError as error:
        raise Misconfigured(f"{path} is garbled.") from error


def compare_scores(golden: GoldenScores, scores: Mapping[str, float]) -> list[GoldenCheck]:
    """Compare scores with the golden ones, film by film, where both are known."""
    return [
        GoldenCheck(
            sha256, expected, scores[sha256], abs(scores[sha256] - expected) > golden.tolerance
        )
        for sha256, expected in golden.scores.items()
        if sha256 in scores
    ]


def write_golden(folder: Path, scores: Mapping[str, float]) -> None:
    """Write golden scores beside an ensemble, and name them in its manifest."""
    path = folder / GOLDEN_FILE
    golden = GoldenScores(scores={key: round(value, 6) for key, value in scores.items()})
    path.write_text(json.dumps(golden.model_dump(), indent=2) + "\n")
    named = NamedFile(file=GOLDEN_FILE, sha256=file_sha256(path))
    manifest = load_manifest(folder).model_copy(update={"golden": named})
    write_manifest(folder, manifest)
