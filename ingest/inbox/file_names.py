"""Names in the inbox: which of them may be taken, and how a path is written as text."""

import os
import re
from pathlib import Path
from unicodedata import category

#: Folder in the inbox that holds what is claimed: the same file system, so renames are atomic.
CLAIMED = ".readfirst"
#: A file with such a name is still being written; it is taken once it is renamed.
PARTIAL_SUFFIXES = {".part", ".partial", ".tmp", ".temp", ".crdownload", ".filepart"}

#: By Windows Explorer, Finder, KDE, Office and the programs that write checksums; in small letters.
#: Copies are numbered, and Samba shows a stream of NTFS behind a colon.
SYSTEM_FILE = re.compile(
    r"(ehthumbs(_vista)?|thumbs)( ?\(\d+\))?\.db(:.*)?"
    r"|(desktop|folder)( ?\(\d+\))?\.(ini|htt)|autorun\.inf|dicomdir"
    r"|\.ds_store|\._.*|\.directory|\.localized|icon\r?|~\$.*"
    r"|.*\.(lnk|url|md5|sha1|sha256|sha512|sfv)"
)


def is_hidden(name: str) -> bool:
    """Return whether a file or folder is left alone, as our own folder of claims is."""
    return name.startswith(".") or name == CLAIMED


def is_partial(name: str) -> bool:
    """Return whether a file's name says that it is still being written."""
    return os.path.splitext(name)[1].lower() in PARTIAL_SUFFIXES  # noqa: PTH122


def is_candidate(name: str) -> bool:
    """Return whether a file of this name can be taken: not hidden, no spare copy, not partial."""
    return not is_hidden(name) and not name.endswith("~") and not is_partial(name)


def is_system_file(name: str) -> bool:
    """Return whether programs put a file of this name beside others, and nobody sends it.

    Whatever it is called, a file that holds a film is taken as a film.
    """
    return SYSTEM_FILE.fullmatch(name.strip().casefold()) is not None


def as_text(path: Path) -> Path:
    """Write a path as text: what is not UTF-8, controls, or turns the text around is replaced."""
    text = os.fsencode(path).decode(errors="replace")
    return Path("".join("\ufffd" if _misleads(char) else char for char in text))


def _misleads(char: str) -> bool:
    # Unicode Standard Annex 9: LRE, RLE, PDF, LRO, RLO and the isolates make `gpj.exe` look else.
    return category(char) == "Cc" or "\u202a" <= char <= "\u202e" or "\u2066" <= char <= "\u2069"
