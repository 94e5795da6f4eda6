"""Zip archives: known by their content, bounded in every way, and unpacked out of harm's way.

A member's name never becomes a path on the disk. All of this runs in the process that reads files.
"""

import json
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path, PurePosixPath
from unicodedata import category

from ingest.dicom.sniff import kind_of
from readfirst.errors import Refused
from readfirst.refusals import RefusalCode

#: A study has a few films; an export of a whole ward a few hundred.
MOST_MEMBERS = 2000
#: What all members together may inflate to (bytes).
MOST_INFLATED = 1024**3
#: Above so many bytes, an archive that inflates to more than so many times its size is a bomb:
#: films shrink to a half or a third.
FREE_INFLATED, MOST_RATIO = 64 * 1024**2, 100
#: APPNOTE 4.3.16: the end record, behind which a comment of at most so many bytes may stand.
END_RECORD, MOST_COMMENT = b"PK\x05\x06", 65535
END_RECORD_BYTES = 22
#: APPNOTE 4.3.7: what stands before a member's content, without its name and extra field.
LOCAL_HEADER_BYTES = 30
#: APPNOTE 4.4.4: bit 0 of the flags.
ENCRYPTED = 1
#: What tools write; the others inflate further, and need more memory.
METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
CHUNK = 1024**2
INDEX = "index.json"


@dataclass(frozen=True, slots=True)
class ArchiveMember:
    """A file that was in an archive. path: where it is now. name: what the archive calls it.

    is_image: its content is that of a DICOM file or a picture.
    """

    path: Path
    name: str
    is_image: bool


def check_is_whole(path: Path) -> None:
    """Check that an archive has its end record, so that nothing is still to come.

    Raises Refused if it has none.
    """
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - END_RECORD_BYTES - MOST_COMMENT))
        if END_RECORD not in file.read():
            raise Refused(RefusalCode.TRUNCATED)


def unpack(path: Path, folder: Path) -> None:
    """Write every member into a folder under a number, and an index of them beside.

    Raises Refused, with some members written: too large, encrypted, not readable, or not one image
    in it. Raises OSError when the folder cannot be written to.
    """
    left = min(MOST_INFLATED, max(FREE_INFLATED, MOST_RATIO * path.stat().st_size))
    with _opened(path) as archive:
        members = _members(archive, left)
        index = []
        for number, info in enumerate(members):
            target = folder / f"{number:06}"
            left -= _write(archive, info, target, left)
            index.append((target.name, info.filename, _is_image(target)))
    if not any(is_image for _, _, is_image in index):
        raise Refused(RefusalCode.ARCHIVE_WITHOUT_IMAGES)
    (folder / INDEX).write_text(json.dumps(index))


def unpacked(folder: Path) -> list[ArchiveMember]:
    """List the members that `unpack` has written into a folder."""
    index = json.loads((folder / INDEX).read_text())
    return [ArchiveMember(folder / number, name, is_image) for number, name, is_image in index]


def member_path(archive: Path, name: str) -> Path:
    """Return the path of a member as text for people: inside its archive, whatever its name says.

    No part of it leads upwards or begins anew, none is a control character.
    """
    plain = "".join("\ufffd" if category(char) in ("Cc", "Cs") else char for char in name)
    parts = PurePosixPath(plain.replace("\\", "/")).parts
    return archive.joinpath(*[part[:255] for part in parts if part.strip("/") not in ("", "..")])


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except MemoryError as error:
        raise Refused(RefusalCode.ARCHIVE_TOO_LARGE, "its directory") from error
    except Exception as error:
        # zipfile raises many kinds for broken archives (BadZipFile, ValueError, struct.error).
        raise Refused(RefusalCode.ARCHIVE_UNREADABLE, type(error).__name__) from error


def _members(archive: zipfile.ZipFile, most: int) -> list[zipfile.ZipInfo]:
    """List the files of an archive, all of which can be unpacked. most: bytes to inflate to.

    Later releases of Python refuse members that overlap, earlier ones do not: so this does.
    """
    members = [info for info in archive.infolist() if not info.is_dir()]
    if len(members) > MOST_MEMBERS:
        raise Refused(RefusalCode.ARCHIVE_TOO_LARGE, f"{len(members)} files")
    if any(info.flag_bits & ENCRYPTED for info in members):
        raise Refused(RefusalCode.ARCHIVE_ENCRYPTED)
    if sum(info.file_size for info in members) > most:
        raise Refused(RefusalCode.ARCHIVE_TOO_LARGE, "what its files inflate to")
    if any(info.compress_type not in METHODS for info in members):
        raise Refused(RefusalCode.ARCHIVE_UNREADABLE, "a method other than deflate")
    if _overlap(archive.infolist()):
        raise Refused(RefusalCode.ARCHIVE_UNREADABLE, "members that overlap")
    return members


def _overlap(members: list[zipfile.ZipInfo]) -> bool:
    """Find out by the directory alone if the content of a member reaches into the next one."""
    in_order = sorted(members, key=lambda info: info.header_offset)
    return any(
        info.header_offset + LOCAL_HEADER_BYTES + info.compress_size > following.header_offset
        for info, following in pairwise(in_order)
    )


def _write(archive: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path, most: int) -> int:
    """Write one member, of at most so many bytes, whatever the archive says of its size."""
    written = 0
    with target.open("xb") as file:
        for chunk in _chunks(archive, info):
            written += len(chunk)
            if written > most:
                raise Refused(RefusalCode.ARCHIVE_TOO_LARGE, "what its files inflate to")
            file.write(chunk)
    return written


def _chunks(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """The content of one member, whose checksum must be right in the end."""
    try:
        with archive.open(info) as member:
            while chunk := member.read(CHUNK):
                yield chunk
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError) as error:
        raise Refused(RefusalCode.ARCHIVE_UNREADABLE, type(error).__name__) from error


def _is_image(path: Path) -> bool:
    try:
        kind_of(path)
    except Refused:
        return False
    return True
