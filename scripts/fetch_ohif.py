"""Fetch the viewer OHIF as it is built, for the test that opens a study in it.

    python scripts/fetch_ohif.py FOLDER

Its package alone, from the npm registry that npm knows, and not the hundreds that it names: what it
needs is built in. Another content than the one below is not unpacked.
"""

import base64
import hashlib
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

PACKAGE = "@ohif/app@3.13.2"
#: Subresource integrity, as in a lock of npm.
INTEGRITY = (
    "sha512-"
    "WZdxmpmG7rqFgW9ZJLcbgr3XCtLi1KDNPoMaeY5PPe6j4G4fjEjjkycZM6C6Zk2F87BKxFfpq+jd5xXZB9E8EA=="
)


def fetch(folder: Path) -> None:
    """Leave `package/dist` in an empty folder. Raises CalledProcessError, and SystemExit."""
    npm = Path(sys.prefix, "bin", "npm")
    subprocess.run(
        [npm, "pack", "--silent", "--pack-destination", folder, PACKAGE],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    (archive,) = folder.glob("*.tgz")
    digest = hashlib.sha512(archive.read_bytes()).digest()
    if f"sha512-{base64.b64encode(digest).decode()}" != INTEGRITY:
        raise SystemExit(f"{archive.name} is not the file that is pinned.")
    with tarfile.open(archive) as opened:
        without_maps = [each for each in opened if not each.name.endswith(".map")]
        opened.extractall(folder, without_maps, filter="data")
    archive.unlink()


if __name__ == "__main__":
    target = Path(sys.argv[1])
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    fetch(target)
