"""The files of an ensemble: from a folder or an archive into the site's folder, checked.

The sha256 of the manifest names the whole ensemble, since the manifest names every other file.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4
from zipfile import BadZipFile, ZipFile

from models.digests import file_sha256
from models.manifest import MANIFEST_FILE, Manifest, check_files, load_manifest
from readfirst.errors import Misconfigured

#: Copies a file by its name into a folder.
Fetch = Callable[[str, Path], None]


def manifest_sha256(folder: Path) -> str:
    """Return the digest that names the ensemble in a folder."""
    return file_sha256(folder / MANIFEST_FILE)


def file_names(manifest: Manifest) -> list[str]:
    """The files of an ensemble, its manifest first."""
    return [MANIFEST_FILE, *(part.file for part in manifest.parts)]


def install(source: Path, site_folder: Path) -> Path:
    """Copy an ensemble from a folder or a ZIP archive into the site's folder, and check it.

    Returns its folder there, and changes nothing if it is there already. Raises Misconfigured
    where files are missing or are not those of the manifest, and where another ensemble has the
    version.
    """
    if source.is_dir():
        return install_files(lambda name, target: _copy(source / name, target), site_folder)
    with _archive(source) as fetch:
        return install_files(fetch, site_folder)


def install_files(fetch: Fetch, site_folder: Path) -> Path:
    """The same from anywhere: first the manifest, then the files that it names."""
    site_folder.mkdir(parents=True, exist_ok=True)
    # Hidden ones are not looked at.
    partial = site_folder / f".{uuid4().hex}"
    partial.mkdir(mode=0o700)
    try:
        fetch(MANIFEST_FILE, partial / MANIFEST_FILE)
        manifest = load_manifest(partial)
        folder = site_folder / manifest.version
        if (folder / MANIFEST_FILE).exists():
            _check_same(folder, partial, manifest.version)
            return folder
        for name in file_names(manifest)[1:]:
            fetch(name, partial / name)
        check_files(partial, manifest)
        partial.rename(folder)
        return folder
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _check_same(folder: Path, other: Path, version: str) -> None:
    if manifest_sha256(folder) != manifest_sha256(other):
        raise Misconfigured(
            f"Another ensemble of version {version} lies in {folder}. "
            "Give the new one a version of its own."
        )


def _copy(source: Path, target: Path) -> None:
    try:
        shutil.copyfile(source, target)
    except OSError as error:
        raise Misconfigured(f"{source} cannot be copied: {error.strerror}.") from error


@contextmanager
def _archive(path: Path) -> Iterator[Fetch]:
    """Read a ZIP archive, whose files may lie in one folder."""
    try:
        with ZipFile(path) as archive:
            (manifest,) = (
                name for name in archive.namelist() if name.split("/")[-1] == MANIFEST_FILE
            )
            folder = manifest.removesuffix(MANIFEST_FILE)

            def fetch(name: str, target: Path) -> None:
                with archive.open(folder + name) as read, target.open("wb") as write:
                    shutil.copyfileobj(read, write)

            yield fetch
    except KeyError as error:
        raise Misconfigured(f"{path} lacks a file that its manifest names.") from error
    except (BadZipFile, ValueError) as error:
        raise Misconfigured(f"{path} is no ZIP archive of one ensemble.") from error
    except OSError as error:
        raise Misconfigured(f"{path} cannot be read: {error.strerror}.") from error
