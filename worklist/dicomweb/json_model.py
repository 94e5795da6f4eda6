"""Attributes of the DICOM JSON Model (PS3.18 F.2), made from values of our own."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from pydicom.datadict import dictionary_VR, tag_for_keyword

#: An object by its tags of eight hexadecimal digits.
JsonObject = dict[str, dict[str, Any]]
#: PS3.18 F.2.2: the groups of a name.
NAME_GROUPS = ("Alphabetic", "Ideographic", "Phonetic")


@cache
def tag_of(keyword: str) -> str:
    """The tag of a keyword of PS3.6, as `0020000D`. Raises KeyError."""
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise KeyError(keyword)
    return f"{tag:08X}"


def json_object(values: Mapping[str, Any]) -> JsonObject:
    """Make attributes by keyword, each of a text, a number or several; empty for None and `""`."""
    return dict(sorted(_attribute(keyword, value) for keyword, value in values.items()))


def values_of(attribute: Mapping[str, Any]) -> list[str]:
    """The values of an attribute as texts; those of a name as it is written in a file."""
    return [
        "=".join(value.get(group, "") for group in NAME_GROUPS).rstrip("=")
        if isinstance(value, dict) and attribute.get("vr") == "PN"
        else str(value)
        for value in attribute.get("Value", [])
        if value is not None
    ]


def _attribute(keyword: str, value: Any) -> tuple[str, dict[str, Any]]:
    vr = dictionary_VR(keyword)
    values = list(value) if isinstance(value, Iterable) and not isinstance(value, str) else [value]
    written = [each for each in values if each is not None and each != ""]
    if vr == "PN":
        written = [_name(each) for each in written]
    return tag_of(keyword), {"vr": vr} | ({"Value": written} if written else {})


def _name(text: str) -> dict[str, str]:
    return {group: part for group, part in zip(NAME_GROUPS, text.split("="), strict=False) if part}
