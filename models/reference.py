"""The reference of an ensemble, as it is kept beside its weights."""

from pathlib import Path

from models.digests import file_sha256
from models.manifest import Manifest
from readfirst.errors import Misconfigured
from readfirst.monitoring.reference import Reference, read_reference


def load_reference(folder: Path, manifest: Manifest) -> Reference | None:
    """Read the reference of an ensemble; None where its manifest names none.

    Raises Misconfigured if it is missing, garbled or not the one that the manifest names.
    """
    named = manifest.reference
    if named is None:
        return None
    path = folder / named.file
    try:
        if file_sha256(path) != named.sha256:
            raise Misconfigured(f"{path} is not the file that the manifest names.")
        reference = read_reference(path.read_bytes())
    except (OSError, ValueError) as error:
        raise Misconfigured(f"{path} cannot be read: {error}") from error
    if reference.ensemble_version != manifest.version:
        raise Misconfigured(f"{path} is of ensemble {reference.ensemble_version}.")
    return reference
