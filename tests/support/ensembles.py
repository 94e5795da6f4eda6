"""Ensembles of a few bytes, whose files are all there and all as their manifests name them."""

from pathlib import Path

from models.digests import file_sha256
from models.golden import write_golden
from models.manifest import (
    MANIFEST_FILE,
    SHIPPED,
    Manifest,
    find_ensembles,
    load_manifest,
    shipped_version,
)


def an_ensemble_folder(
    folder: Path, version: str, *, golden: dict[str, float] | None = None
) -> Path:
    """An ensemble whose weights are no weights: for whatever copies and checks files."""
    folder.mkdir(parents=True)
    shipped = load_manifest(find_ensembles([SHIPPED])[shipped_version()])
    members = []
    for member in shipped.members:
        path = folder / member.file
        path.write_bytes(f"{version} {member.name}".encode())
        members.append(member.model_copy(update={"sha256": file_sha256(path)}))
    manifest: Manifest = shipped.model_copy(
        update={
            "version": version,
            "members": tuple(members),
            "pixel_check": None,
            "unlike": None,
            "populations": (),
            "reference": None,
            "golden": None,
        }
    )
    (folder / MANIFEST_FILE).write_text(manifest.model_dump_json())
    if golden:
        write_golden(folder, golden)
    return folder
