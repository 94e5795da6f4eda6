"""A population is written into the manifest of an ensemble that nobody has used yet."""

from collections.abc import Sequence
from pathlib import Path

from models.manifest import Manifest, is_shipped, load_manifest
from models.populations.population import Population
from readfirst.errors import Misconfigured


def with_populations(manifest: Manifest, populations: Sequence[Population]) -> Manifest:
    """The manifest with populations; those of the same names are replaced. Raises Misconfigured."""
    if manifest.prevalence is None:
        raise Misconfigured(
            f"Ensemble {manifest.version} does not say which share of pneumonia its probabilities "
            "presuppose, so that no other population can be stated beside them."
        )
    names = {population.name for population in populations}
    others = [each for each in manifest.populations if each.name not in names]
    return manifest.model_copy(update={"populations": (*others, *populations)})


def check_writable(folder: Path, known: bool) -> None:
    """Raises Misconfigured for an ensemble under whose version there may be scores.

    known: this site knows the version.
    """
    if is_shipped(folder):
        raise Misconfigured(f"{folder} came with ReadFirst, and stays as it is: copy it first.")
    if known:
        raise Misconfigured(
            f"Ensemble {load_manifest(folder).version} is known here, and a version never changes: "
            "copy its folder, and give it a version of its own in manifest.json."
        )
