"""Zip archives, from the good ones to those that want to do harm."""

import functools
import io
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.dicom.sniff import is_archive
from ingest.inbox.archive import MOST_MEMBERS, member_path, unpacked
from ingest.reader.reader_process import Reader
from readfirst.errors import Refused
from readfirst.refusals import RefusalCode
from readfirst.samples import FOLDER
from tests.fuzz.hostile_archives import overlapping
from tests.support.files import a_dicom_file, an_export

FILM = (FOLDER / "film-01.jpg").read_bytes()


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    with Reader(120, 256) as opened:
        yield opened


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def encrypted() -> bytes:
    """Pretend a password: bit 0 of the flags, in both headers (APPNOTE 4.4.4)."""
    content = bytearray(zipped({"film.jpg": FILM}))
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


def damaged() -> bytes:
    content = bytearray(zipped({"film.jpg": FILM}, zipfile.ZIP_STORED))
    content[len(FILM) // 2] ^= 0xFF
    return bytes(content)


def lying() -> bytes:
    """Says that its film is short, and is not."""
    content = bytearray(zipped({"film.jpg": FILM}))
    struct.pack_into("<I", content, content.index(b"PK\x01\x02") + 24, 10)
    return bytes(content)


@functools.cache
def bomb() -> bytes:
    return zipped({"film.jpg": FILM, "zeros": bytes(80 * 1024**2)})


#: Made by the tests that want them: who only collects tests need not wait for them.
BAD: Final[dict[str, tuple[Callable[[], bytes], RefusalCode]]] = {
    "encrypted": (encrypted, RefusalCode.ARCHIVE_ENCRYPTED),
    "damaged": (damaged, RefusalCode.ARCHIVE_UNREADABLE),
    "lying": (lying, RefusalCode.ARCHIVE_UNREADABLE),
    "another method": (
        lambda: zipped({"film.jpg": FILM}, zipfile.ZIP_LZMA),
        RefusalCode.ARCHIVE_UNREADABLE,
    ),
    "no directory": (
        lambda: zipped({"a": FILM})[:200] + b"PK\x05\x06",
        RefusalCode.ARCHIVE_UNREADABLE,
    ),
    "a bomb": (bomb, RefusalCode.ARCHIVE_TOO_LARGE),
    "too many": (
        lambda: zipped({f"{n}.jpg": FILM[:9] for n in range(MOST_MEMBERS + 1)}),
        RefusalCode.ARCHIVE_TOO_LARGE,
    ),
    "a document": (
        lambda: zipped({"word/document.xml": b"<w:document/>"}),
        RefusalCode.ARCHIVE_WITHOUT_IMAGES,
    ),
    "overlapping": (lambda: overlapping(2, 1000), RefusalCode.ARCHIVE_UNREADABLE),
    "an overlapping bomb": (lambda: overlapping(500, 1024**2), RefusalCode.ARCHIVE_TOO_LARGE),
    "nothing": (lambda: zipped({}), RefusalCode.ARCHIVE_WITHOUT_IMAGES),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_archive_is_refused_by_its_own_code(
    name: str, reader: Reader, tmp_path: Path
) -> None:
    make, code = BAD[name]
    path, folder = tmp_path / "archive", tmp_path / "unpacked"
    path.write_bytes(make())
    folder.mkdir()
    assert is_archive(path)
    with pytest.raises(Refused) as caught:
        reader.unpack(path, folder)
    assert caught.value.code is code


def test_of_an_archive_that_says_that_it_is_a_bomb_nothing_is_written(
    reader: Reader, tmp_path: Path
) -> None:
    (tmp_path / "archive").write_bytes(bomb())
    (tmp_path / "unpacked").mkdir()
    with pytest.raises(Refused):
        reader.unpack(tmp_path / "archive", tmp_path / "unpacked")
    assert not list((tmp_path / "unpacked").iterdir())


def test_members_are_written_under_numbers_whatever_they_are_called(
    reader: Reader, tmp_path: Path
) -> None:
    names = ["../../../etc/passwd", "/etc/cron.d/x", "C:\\Windows\\x", "a/" * 300 + "x", "é/ü.dcm"]
    path, folder = tmp_path / "ward.bin", tmp_path / "in" / "here"
    path.write_bytes(zipped(dict.fromkeys([*names, "folder/"], FILM)))
    folder.mkdir(parents=True)
    reader.unpack(path, folder)
    members = unpacked(folder)
    assert [member.name for member in members] == names
    assert {member.path.parent for member in members} == {folder}
    assert all(member.path.read_bytes() == FILM and member.is_image for member in members)
    assert sorted(tmp_path.iterdir()) == [tmp_path / "in", path]


@settings(max_examples=50, deadline=None)
@given(st.text())
def test_a_members_place_is_inside_its_archive(name: str) -> None:
    path = member_path(Path("ward/study.zip"), name)
    assert path.parts[:2] == ("ward", "study.zip")
    assert ".." not in path.parts
    assert str(path).isprintable() or not name.isprintable()
    str(path).encode()


def test_an_archive_that_still_grows_is_not_whole(reader: Reader, tmp_path: Path) -> None:
    path = tmp_path / "study.zip"
    whole = zipped({"film.jpg": FILM})
    path.write_bytes(whole[:-30])
    with pytest.raises(Refused) as caught:
        reader.header(path)
    assert caught.value.code is RefusalCode.TRUNCATED
    path.write_bytes(whole)
    with pytest.raises(Refused) as caught:
        reader.header(path)
    assert caught.value.code is RefusalCode.ARCHIVE_NOT_OPENED


def test_a_dicom_file_that_begins_like_an_archive_is_dicom(reader: Reader, tmp_path: Path) -> None:
    path = a_dicom_file(tmp_path / "film.dcm")
    path.write_bytes(b"PK\x03\x04" + path.read_bytes()[4:])
    assert not is_archive(path)
    assert reader.header(path).rows == 48


def test_the_index_of_an_export_is_known_by_its_class(reader: Reader, tmp_path: Path) -> None:
    index = an_export(tmp_path / "export", FOLDER / "study-01.dcm")
    index.rename(tmp_path / "film.dcm")
    with pytest.raises(Refused) as caught:
        reader.header(tmp_path / "film.dcm")
    assert caught.value.code is RefusalCode.DICOM_INDEX
