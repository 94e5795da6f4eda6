"""File systems that tell of changes: those on this machine do, those of other machines do not."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil

#: What another machine, or the host of a virtual one, may change without a word to this kernel.
#: `fuse` and all `fuse.…` are too; `fuseblk` is a disk of this machine.
REMOTE = {
    "9p", "acfs", "afs", "beegfs", "ceph", "cifs", "coda", "fuse", "gfs", "gfs2", "glusterfs",
    "gpfs", "lustre", "ncpfs", "nfs", "nfs4", "ocfs2", "orangefs", "prl_fs", "pvfs2", "smb3",
    "smbfs", "vboxsf", "virtiofs", "vmhgfs", "wekafs",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mount:
    """A mounted file system: where it lies, and of which type it is."""

    point: Path
    kind: str

    @property
    def remote(self) -> bool:
        """Return whether changes may come to it that this kernel does not hear of."""
        return self.kind in REMOTE or self.kind.startswith("fuse.")


def all_mounts() -> list[Mount]:
    """List every mount that this process sees, in the order in which they were made."""
    return [Mount(Path(each.mountpoint), each.fstype) for each in psutil.disk_partitions(all=True)]


def mounts_under(folder: Path, mounts: list[Mount]) -> Iterator[Mount]:
    """Find the mount that holds a folder, and all that are mounted inside it.

    folder: absolute, without links. Of several on the same point the last one counts: it covers
    the others.
    """
    visible = {mount.point: mount for mount in mounts}
    yield from (mount for point, mount in visible.items() if folder in point.parents)
    holders = [point for point in visible if point == folder or point in folder.parents]
    if holders:
        yield visible[max(holders, key=lambda point: len(point.parts))]


def must_poll(folder: Path, watch: Literal["auto", "events", "polling"]) -> bool:
    """Return whether changes of a folder must be looked for, since no event tells of them."""
    if watch != "auto":
        return watch == "polling"
    try:
        mounts = all_mounts()
    except OSError:
        # Nobody knows what lies where: events are what the system has.
        return False
    return any(mount.remote for mount in mounts_under(folder.resolve(), mounts))
