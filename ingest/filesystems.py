"""Which file systems tell of changes: those on this machine do, those of other machines do not."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

MOUNTINFO = Path("/proc/self/mountinfo")
#: What another machine, or the host of a virtual one, may change without a word to this kernel.
#: `fuse` and all `fuse.…` are too; `fuseblk` is a disk of this machine.
REMOTE = {
    "9p", "acfs", "afs", "beegfs", "ceph", "cifs", "coda", "fuse", "gfs", "gfs2", "glusterfs",
    "gpfs", "lustre", "ncpfs", "nfs", "nfs4", "ocfs2", "orangefs", "prl_fs", "pvfs2", "smb3",
    "smbfs", "vboxsf", "virtiofs", "vmhgfs", "wekafs",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mount:
    """One mounted file system: where it lies, and of which type it is."""

    point: Path
    kind: str

    @property
    def remote(self) -> bool:
        """Whether changes may come to it that this kernel does not hear of."""
        return self.kind in REMOTE or self.kind.startswith("fuse.")


def parse_mounts(mountinfo: str) -> list[Mount]:
    """The mounts, in the order in which they were made. mountinfo: as in proc(5)."""
    mounts = []
    for line in mountinfo.splitlines():
        # An unknown number of optional fields ends with a dash.
        left, dash, right = line.partition(" - ")
        fields = left.split(" ")
        if dash and len(fields) >= 5 and right:
            mounts.append(Mount(Path(_unescape(fields[4])), right.split(" ")[0]))
    return mounts


def mounts_under(folder: Path, mounts: list[Mount]) -> Iterator[Mount]:
    """The mount that holds a folder, and all that are mounted inside it.

    folder: absolute, without links. Of several on the same point the last one counts: it covers
    the others.
    """
    visible = {mount.point: mount for mount in mounts}
    yield from (mount for point, mount in visible.items() if folder in point.parents)
    holders = [point for point in visible if point == folder or point in folder.parents]
    if holders:
        yield visible[max(holders, key=lambda point: len(point.parts))]


def must_poll(folder: Path, watch: Literal["auto", "events", "polling"]) -> bool:
    """Whether changes of a folder must be looked for, since nobody tells of them."""
    if watch != "auto":
        return watch == "polling"
    try:
        mounts = parse_mounts(MOUNTINFO.read_text(errors="surrogateescape"))
    except OSError:
        # Not Linux: events are what the system has.
        return False
    return any(mount.remote for mount in mounts_under(folder.resolve(), mounts))


def _unescape(field: str) -> str:
    r"""Spaces, tabs, newlines and backslashes are written in octal, as `\040`."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), field)
