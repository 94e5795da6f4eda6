"""The mounts are those of the system, and a folder lies on the nearest one."""

import subprocess
from pathlib import Path

import pytest

from ingest.inbox.watcher.filesystems import Mount, all_mounts, mounts_under, must_poll

MOUNTS = [
    Mount(Path(point), kind)
    for point, kind in (
        ("/", "ext4"),
        ("/proc", "proc"),
        ("/mnt/films", "nfs4"),
        ("/mnt/films of\tward\n3", "cifs"),
        ("/home/reader/drop", "fuse.sshfs"),
        ("/media/stick", "fuseblk"),
        ("/srv/inbox", "tmpfs"),
        ("/srv/inbox/remote", "9p"),
        ("/data", "nfs"),
        ("/data", "xfs"),
    )
]


def kinds(folder: str) -> set[str]:
    return {mount.kind for mount in mounts_under(Path(folder), MOUNTS)}


@pytest.mark.parametrize(
    ("folder", "expected"),
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
    folder: str, expected: set[str]
) -> None:
    assert kinds(folder) == expected


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
    odd = small_disk / "films of\tward\\3\n#4"
    odd.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(odd)], check=True)
    try:
        mounts = list(mounts_under(small_disk, all_mounts()))
    finally:
        subprocess.run(["umount", "--lazy", str(odd)], check=True)
    assert mounts == [Mount(odd, "tmpfs"), Mount(small_disk, "tmpfs")]
    assert not must_poll(small_disk, "auto")


def test_where_nobody_knows_the_mounts_events_are_what_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(all: bool) -> None:
        raise FileNotFoundError("/proc/self/mounts")

    monkeypatch.setattr("psutil.disk_partitions", unknown)
    assert not must_poll(tmp_path, "auto")


def test_a_folder_on_another_machine_is_polled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop = tmp_path / "drop"
    drop.mkdir()
    (tmp_path / "link").symlink_to(drop)
    monkeypatch.setattr(
        "ingest.inbox.watcher.filesystems.all_mounts", lambda: [Mount(drop, "nfs4")]
    )
    assert must_poll(drop, "auto")
    assert must_poll(tmp_path / "link", "auto")
    assert must_poll(tmp_path, "auto"), "it is inside"
    assert not must_poll(drop, "events")
