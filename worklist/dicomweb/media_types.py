"""The media type of an answer: the first of those offered that the client accepts (PS3.18 8.7)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from fastapi import HTTPException, Request
from pydicom.uid import ExplicitVRLittleEndian

#: RFC 9110 5.6.6: parameters, whose values may be quoted.
PARAMETER = re.compile(r';\s*([\w.!#$&^+-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^\s;,]*)')
ENTRY = re.compile(r"\s*([\w.+*-]+/[\w.+*-]+)((?:\s*;[^;\",]*(?:\"(?:[^\"\\]|\\.)*\"[^;\",]*)?)*)")
#: No client says more; to look for types in more takes its time.
MOST_CHARACTERS = 2000
MULTIPART = "multipart/related"
DICOM = "application/dicom"
DICOM_JSON = "application/dicom+json"
JSON = "application/json"
OCTET_STREAM = "application/octet-stream"
#: PS3.18 8.7.3.3: of those whose clients could not read any syntax. An object says its own.
DEFAULT_SYNTAXES = {OCTET_STREAM: ExplicitVRLittleEndian}


@dataclass(frozen=True, slots=True)
class MediaType:
    """A media type that is offered or accepted.

    kind: of the answer, or of each of its parts, as `application/dicom`. multipart: it is
    `multipart/related`. transfer_syntax: a UID; None: any; `*`: as it is stored. converted: what is
    offered is not as it is stored.
    """

    kind: str
    multipart: bool = False
    transfer_syntax: str | None = None
    converted: bool = False
    quality: float = field(default=1.0, compare=False)

    def takes(self, offered: "MediaType") -> bool:
        """Tell whether whoever accepts this takes what is offered."""
        if self.kind == "*/*" and not self.multipart:
            return True
        if self.multipart is not offered.multipart:
            return False
        main, _, sub = self.kind.partition("/")
        is_kind = self.kind in ("*/*", offered.kind) or (
            sub == "*" and offered.kind.startswith(f"{main}/")
        )
        wanted = self.transfer_syntax or DEFAULT_SYNTAXES.get(self.kind)
        if wanted == "*":
            return is_kind and not offered.converted
        return is_kind and (wanted is None or wanted == offered.transfer_syntax)


def accepted(request: Request) -> list[MediaType]:
    """The types of the query parameter `accept` (PS3.18 8.3.3.1), else of the header.

    The best first; where neither is there, any. Raises HTTPException 400 where it is too long.
    """
    text = request.query_params.get("accept") or request.headers.get("accept") or "*/*"
    if len(text) > MOST_CHARACTERS:
        raise HTTPException(400, "What is accepted is said at too great length.")
    types = [_media_type(kind, parameters) for kind, parameters in ENTRY.findall(text)]
    return sorted((each for each in types if each.quality > 0), key=lambda each: -each.quality)


def chosen(request: Request, offered: Sequence[MediaType]) -> MediaType:
    """Choose among those offered, the preferred first. Raises HTTPException 400, or 406."""
    for wanted in accepted(request):
        for each in offered:
            if wanted.takes(each):
                return each
    raise HTTPException(406, f"This is to be had as {', '.join(map(_in_words, offered))}.")


def check_json(request: Request) -> None:
    """Raises HTTPException 406 for who does not take DICOM's JSON."""
    chosen(request, (MediaType(DICOM_JSON), MediaType(JSON)))


def _media_type(kind: str, written: str) -> MediaType:
    parameters = {name.lower(): value.strip('"') for name, value in PARAMETER.findall(written)}
    is_multipart = kind.lower() == MULTIPART
    try:
        quality = float(parameters.get("q", "1"))
    except ValueError:
        quality = 0.0
    return MediaType(
        kind=(parameters.get("type", "*/*") if is_multipart else kind).lower(),
        multipart=is_multipart,
        transfer_syntax=parameters.get("transfer-syntax"),
        quality=quality,
    )


def _in_words(offered: MediaType) -> str:
    name = f'{MULTIPART}; type="{offered.kind}"' if offered.multipart else offered.kind
    syntax = offered.transfer_syntax
    return f"{name}; transfer-syntax={syntax}" if syntax else name
