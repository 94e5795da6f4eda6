"""Ensembles in the store, which all machines of a site share: each file under its digest."""

from pathlib import Path

from ingest.inbox.store import Store
from models.ensemble_files import file_names, install_files, manifest_sha256
from models.manifest import MANIFEST_FILE, load_manifest


def keep_ensemble(store: Store, folder: Path) -> str:
    """Put the files of an ensemble into the store. Returns the digest of its manifest."""
    manifest = load_manifest(folder)
    # The manifest last: whoever sees it finds every file that it names.
    for name in reversed(file_names(manifest)):
        store.keep(folder / name)
    return manifest_sha256(folder)


def fetch_ensemble(store: Store, digest: str, site_folder: Path) -> Path:
    """Copy an ensemble from the store into the site's folder, and check it. Returns its folder.

    digest: of its manifest. Raises Unavailable where a file is not in the store, and Misconfigured
    where one is not what the manifest names.
    """
    digests = {MANIFEST_FILE: digest}

    def fetch(name: str, target: Path) -> None:
        with target.open("wb") as file:
            store.export(digests[name], file)
        if name == MANIFEST_FILE:
            parts = load_manifest(target.parent).parts
            digests.update({part.file: part.sha256 for part in parts})

    return install_files(fetch, site_folder)
