from pathlib import Path

from ingest.inbox.disk import MEBIBYTE, DiskSpace, disk_space, intake_disk_space
from readfirst.settings import Settings


def test_a_folder_that_is_not_there_is_measured_where_it_would_be(tmp_path: Path) -> None:
    space = disk_space(tmp_path / "not" / "yet", 1)
    assert (space.folder, space.enough) == (tmp_path, True)


def test_the_scarcer_of_two_disks_decides(tmp_path: Path, small_disk: Path) -> None:
    settings = Settings(home=tmp_path / "home", inbox=small_disk / "inbox", min_free_megabytes=4)
    assert intake_disk_space(settings).folder == small_disk
    assert intake_disk_space(settings).enough
    (small_disk / "ballast").write_bytes(bytes(6 * MEBIBYTE))
    full = intake_disk_space(settings)
    assert not full.enough
    assert str(small_disk) in full.sentence
    assert "4 MiB required" in full.sentence


def test_no_watermark_never_pauses(small_disk: Path) -> None:
    (small_disk / "ballast").write_bytes(bytes(7 * MEBIBYTE))
    assert intake_disk_space(Settings(home=small_disk, min_free_megabytes=0)).enough


def test_sizes_are_written_in_the_unit_that_fits(tmp_path: Path) -> None:
    space = DiskSpace(tmp_path, free=65_097 * MEBIBYTE, least=99_999_999 * MEBIBYTE)
    assert space.sentence.startswith("Intake paused: 63.6 GiB free at ")
    assert "95.4 TiB required" in space.sentence
