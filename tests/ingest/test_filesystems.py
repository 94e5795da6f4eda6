"""The mounts are read as the kernel writes them."""

from pathlib import Path

import pytest

from ingest.filesystems import Mount, mounts_under, must_poll, parse_mounts

MOUNTINFO = r"""22 1 259:2 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p2 rw
23 22 0:21 / /proc rw,nosuid - proc proc rw
35 22 0:50 / /mnt/films rw,relatime shared:20 master:3 - nfs4 pacs:/export/films rw,vers=4.2
36 22 0:51 / /mnt/films\040of\011ward\0123 rw - cifs //server/share rw,vers=3.1.1
37 22 0:52 / /home/reader/drop rw,nosuid,nodev - fuse.sshfs reader@pacs:/drop rw
38 22 8:17 / /media/stick rw - fuseblk /dev/sdb1 rw
39 22 0:60 / /srv/inbox rw - tmpfs tmpfs rw
40 39 0:61 / /srv/inbox/remote rw - 9p share rw
41 22 0:62 / /data rw - nfs server:/data rw
42 41 259:3 / /data rw - xfs /dev/nvme0n1p3 rw
not a line of mountinfo
"""


def kinds(folder: str) -> set[str]:
    return {mount.kind for mount in mounts_under(Path(folder), parse_mounts(MOUNTINFO))}


@pytest.mark.parametrize(
    ("folder", "found"),
    [
        ("/var/inbox", {"ext4"}),
        ("/mnt/films", {"nfs4"}),
        ("/mnt/films/ward/7", {"nfs4"}),
        ("/mnt/films-of-yesterday", {"ext4"}),
        ("/mnt/films of\tward\n3/x", {"cifs"}),
        ("/home/reader/drop", {"fuse.sshfs"}),
        ("/media/stick/inbox", {"fuseblk"}),
        ("/srv/inbox", {"tmpfs", "9p"}),
        ("/data/inbox", {"xfs"}),
    ],
)
def test_a_folder_lies_on_the_nearest_mount_and_holds_those_below(
    folder: str, found: set[str]
) -> None:
    assert kinds(folder) == found


@pytest.mark.parametrize(
    ("kind", "remote"),
    [
        ("nfs", True),
        ("nfs4", True),
        ("cifs", True),
        ("smb3", True),
        ("9p", True),
        ("fuse", True),
        ("fuse.rclone", True),
        ("virtiofs", True),
        ("fuseblk", False),
        ("ext4", False),
        ("xfs", False),
        ("btrfs", False),
        ("overlay", False),
        ("tmpfs", False),
    ],
)
def test_which_file_systems_belong_to_other_machines(kind: str, remote: bool) -> None:
    assert Mount(Path("/"), kind).remote is remote


def test_a_site_may_force_either_way(tmp_path: Path) -> None:
    assert must_poll(tmp_path, "polling")
    assert not must_poll(tmp_path, "events")


def test_the_kernels_own_mounts_are_read(small_disk: Path) -> None:
    mounts = parse_mounts(Path("/proc/self/mountinfo").read_text())
    (holder,) = mounts_under(small_disk, mounts)
    assert holder == Mount(small_disk, "tmpfs")
    assert not must_poll(small_disk, "auto")
