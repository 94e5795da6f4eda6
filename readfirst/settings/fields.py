"""Building blocks of the settings: their base, the kinds of their values, and the greatest ones."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict
from pydantic_settings import NoDecode

#: Greatest durations that a setting may name. None of them makes a time that no calendar holds.
A_DAY = 86_400.0
A_YEAR = 366 * A_DAY
A_CENTURY_OF_DAYS = 36_525.0
#: 1 TiB, in MiB: the greatest size of one thing. A disk may be a thousand times as large.
A_TEBIBYTE = 1_048_576

#: In small letters, as browsers say it.
ORIGIN = re.compile(r"https?://([a-z0-9.-]+|\[[0-9a-f:]+\])(:[0-9]{1,5})?")
# PS3.5 6.2, AE: no backslash, no control characters, no spaces around it.
AE_TITLE = re.compile(r"[!-\[\]-~]([ -\[\]-~]{0,14}[!-\[\]-~])?")


class SettingsGroup(BaseModel):
    """Settings that belong together. `Settings` is made of all groups; its fields stay flat."""

    model_config = ConfigDict(frozen=True)


@dataclass(frozen=True, slots=True)
class MustBe:
    """Words for what a setting must be, after "it must be"; of numbers and choices the type tells.

    hidden: the value may hold a password or a token, and is never repeated.
    """

    words: str
    hidden: bool = False


def split_at_commas(value: object) -> object:
    """The values of a list that stands in one variable."""
    if not isinstance(value, str):
        return value
    return tuple(part.strip() for part in value.split(",") if part.strip())


def each(check: Callable[[str], object]) -> Callable[[tuple[str, ...]], tuple[str, ...]]:
    """A check of every value of a list. check: raises ValueError for a wrong one."""

    def check_all(values: tuple[str, ...]) -> tuple[str, ...]:
        for value in values:
            check(value)
        return values

    return check_all


def check_network(text: str) -> None:
    """Raises ValueError unless it is an IP address or network."""
    ip_network(text, strict=False)


def check_host(text: str) -> str:
    """An address or a name of a machine, without a port. Raises ValueError."""
    if not re.fullmatch(r"[\w.-]+", text):
        ip_address(text)
    return text


def check_origin(text: str) -> None:
    """Raises ValueError unless it is what a browser calls the origin of a page (RFC 6454)."""
    if not ORIGIN.fullmatch(text):
        raise ValueError("no origin")


def check_ae_title(text: str) -> str:
    """An AE title. Raises ValueError."""
    if not AE_TITLE.fullmatch(text):
        raise ValueError("no AE title")
    return text


def check_folder_name(text: str) -> None:
    """Raises ValueError for a path in place of a name."""
    if "/" in text:
        raise ValueError("no name of a folder")


def check_path(value: object) -> object:
    """A path that names something: an empty one would be the folder in which ReadFirst starts."""
    if isinstance(value, str) and (not value.strip() or "\0" in value):
        raise ValueError("no path")
    return value


Folder = Annotated[Path, BeforeValidator(check_path), MustBe("the path of a folder")]
OptionalFolder = Annotated[Path | None, BeforeValidator(check_path), MustBe("the path of a folder")]
OptionalFile = Annotated[Path | None, BeforeValidator(check_path), MustBe("the path of a file")]
Host = Annotated[
    str, AfterValidator(check_host), MustBe("an address or a name without a port, as 127.0.0.1")
]
AeTitle = Annotated[
    str,
    AfterValidator(check_ae_title),
    MustBe("1 to 16 ASCII characters, without a backslash and without spaces around them"),
]

# Several values in one variable, with commas between them.
Hosts = Annotated[
    tuple[str, ...],
    NoDecode,
    BeforeValidator(split_at_commas),
    AfterValidator(each(check_host)),
    MustBe("names without ports, with commas between them, as reading.example,10.1.2.3"),
]
Origins = Annotated[
    tuple[str, ...],
    NoDecode,
    BeforeValidator(split_at_commas),
    AfterValidator(each(check_origin)),
    MustBe("origins without paths, with commas between them, as https://viewer.example:3000"),
]
Networks = Annotated[
    tuple[str, ...],
    NoDecode,
    BeforeValidator(split_at_commas),
    AfterValidator(each(check_network)),
    MustBe("addresses or networks, with commas between them, as 10.1.2.3,10.2.0.0/16"),
]
AeTitles = Annotated[
    tuple[str, ...],
    NoDecode,
    BeforeValidator(split_at_commas),
    AfterValidator(each(check_ae_title)),
    MustBe("AE titles of at most 16 characters, with commas between them, as WARD-7,PACS"),
]
FolderNames = Annotated[
    tuple[str, ...],
    NoDecode,
    BeforeValidator(split_at_commas),
    AfterValidator(each(check_folder_name)),
    MustBe("names of folders without slashes, with commas between them, as stat,urgent"),
]
