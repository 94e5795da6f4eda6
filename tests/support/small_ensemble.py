"""A small ensemble that goes by the name of the shipped one, for stacks of processes."""

import shutil
from pathlib import Path

from models.manifest import (
    MANIFEST_FILE,
    SHIPPED,
    EnsembleMember,
    PlattScaling,
    find_ensembles,
    load_manifest,
    shipped_version,
)

#: Of this network's logits for films about half lie below it: so about half of them are flagged.
MIDDLE = 6.18


def write_small_ensemble(site_folder: Path) -> None:
    """Lay an ensemble of one small network into a site's folder of ensembles.

    Its network is the pixel check of the shipped ensemble, asked as if it told pneumonias: so it
    loads, is compiled and scores in a fraction of the time, and of the samples it flags some. A
    site's own ensembles come before the shipped ones, so it is the active one from the start.
    """
    shipped = find_ensembles([SHIPPED])[shipped_version()]
    manifest = load_manifest(shipped)
    check = manifest.pixel_check
    assert check is not None
    folder = site_folder / "small"
    folder.mkdir(parents=True)
    shutil.copy(shipped / check.file, folder)
    member = EnsembleMember(
        name="small",
        network=check.network,
        file=check.file,
        sha256=check.sha256,
        input_size=check.input_size,
        parameters=check.parameters,
        weight=1.0,
    )
    changes = {
        "members": (member,),
        "calibration": PlattScaling(slope=1.0, intercept=-MIDDLE),
        "pixel_check": None,
        "unlike": None,
        "populations": (),
        "reference": None,
        "golden": None,
        "threshold": 0.5,
    }
    (folder / MANIFEST_FILE).write_text(manifest.model_copy(update=changes).model_dump_json())


def write_site_ensemble(site_folder: Path) -> Path:
    """The same as version 1 of a site, with a threshold in the middle. Returns its folder."""
    write_small_ensemble(site_folder)
    folder = site_folder / "small"
    manifest = load_manifest(folder)
    named = manifest.model_copy(update={"version": "1", "threshold": 0.5, "prevalence": None})
    (folder / MANIFEST_FILE).write_text(named.model_dump_json())
    return folder
