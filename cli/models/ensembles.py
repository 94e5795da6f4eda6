"""Ensembles by the names that a person types."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cli.common.database import opened
from db.ensembles.versions import known_ensembles
from models.manifest import Manifest, available_ensembles, load_manifest, shipped_version
from readfirst.errors import Misconfigured
from readfirst.settings import Settings, load_settings

if TYPE_CHECKING:
    from models.ensemble import NetworkEnsemble


def find_folder(name: str | None) -> Path:
    """Find the folder of an ensemble, by version or path; None is the newest shipped one."""
    if name is not None and Path(name).is_dir():
        return Path(name)
    version = name or shipped_version()
    available = available_ensembles(load_settings().ensembles_path)
    if version not in available:
        raise Misconfigured(f"There is no ensemble {version}; see `readfirst models list`.")
    return available[version]


def find_manifest(name: str) -> Manifest:
    """Read the manifest of an ensemble, by version or path."""
    return load_manifest(find_folder(name))


def is_known_here(version: str, settings: Settings) -> bool:
    """Tell whether this site's database knows a version: there may be scores under it."""
    with opened(settings) as database, database.read() as session:
        return version in known_ensembles(session)


def load_by_name(name: str | None) -> tuple[NetworkEnsemble, Path]:
    """Load an ensemble, or one member of it as `VERSION:MEMBER`; with its folder."""
    from models.ensemble import load_ensemble

    whole, _, member = (name or "").partition(":")
    folder = find_folder(whole or None)
    ensemble = load_ensemble(folder, "float32")
    if not member:
        return ensemble, folder
    for part, network in zip(ensemble.manifest.members, ensemble.networks, strict=True):
        if part.name == member:
            alone = part.model_copy(update={"weight": 1.0})
            manifest = ensemble.manifest.model_copy(update={"members": (alone,)})
            return replace(ensemble, manifest=manifest, networks=[network], unlike=None), folder
    raise Misconfigured(f"Ensemble {ensemble.version} has no member {member}.")
