"""Data sets whose structure is broken, mended as GDCM and DCMTK read them (PS3.5 7).

Delimiters where none belongs are dropped, unknown value representations become UN or what the
standard says, and items that are not closed are. Nothing is guessed beyond that: where no next
element makes sense, the data set stays as broken as it is.
"""

import os
from dataclasses import dataclass, field
from typing import BinaryIO, Literal

from pydicom.datadict import dictionary_VR
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32, VR

#: PS3.5 7.5: tags of an item, and of the ends of items and sequences; they have no representation.
ITEM, ITEM_END, SEQUENCE_END = (0xFFFE, 0xE000), (0xFFFE, 0xE00D), (0xFFFE, 0xE0DD)
PIXEL_DATA = (0x7FE0, 0x0010)
UNDEFINED = 0xFFFFFFFF
KNOWN_VRS = {vr.value.encode() for vr in VR if len(vr.value) == 2}
LONG_VRS = {vr.value.encode() for vr in EXPLICIT_VR_LENGTH_32}
#: Sequences within sequences, and bytes before the pixels, of a header that is mended at all.
MOST_DEPTH, MOST_BYTES = 16, 16 * 1024**2
Tag = tuple[int, int]


class Broken(Exception):
    """No next element makes sense."""


class _TooDeep(Exception):
    """Sequences are in sequences without end."""


@dataclass(frozen=True, slots=True)
class MendedHeader:
    """The elements before the pixels, in the encoding of the file, and where the pixels begin."""

    elements: bytes
    pixels_at: int


def mended(
    file: BinaryIO, start: int, order: Literal["big", "little"], *, implicit: bool
) -> MendedHeader | None:
    """Mend the data set from `start` up to Pixel Data (7FE0,0010); None where nothing was mended.

    Raises Broken where no element makes sense, and EOFError where the file ends in one behind a
    fault.
    """
    file.seek(0, os.SEEK_END)
    size = file.tell()
    file.seek(start)
    walk = _Walk(file.read(MOST_BYTES), size - start, order, implicit)
    try:
        elements, at, tag = walk.elements(0)
    except _TooDeep:
        return None
    except EOFError:
        if walk.faults:
            raise
        return None
    if not walk.faults or tag != PIXEL_DATA:
        return None
    return MendedHeader(elements, start + at)


@dataclass(slots=True)
class _Walk:
    """A walk over the elements of a data set. size: of the whole, of which content is the head."""

    content: bytes
    size: int
    order: Literal["big", "little"]
    implicit: bool
    faults: int = field(default=0)

    def elements(self, at: int, depth: int = 0) -> tuple[bytes, int, Tag | None]:
        """Mend elements up to where they end. Returns them, that place, and the tag there.

        They end at Pixel Data, at the end of the file, or in an item at a delimiter.
        """
        mended: list[bytes] = []
        while at + 8 <= len(self.content):
            tag = self.tag(at)
            if tag[0] == 0xFFFE:
                if depth:
                    return b"".join(mended), at, tag
                # A delimiter of nothing; an item of nothing has elements behind it.
                self.faults += 1
                at += 8
                continue
            if tag == PIXEL_DATA and not depth:
                return b"".join(mended), at, tag
            if tag == (0, 0):
                # Zeros are no elements: the file was never written up to here.
                break
            element, at = self.element(at, tag, depth)
            mended.append(element)
        return b"".join(mended), at, None

    def element(self, at: int, tag: Tag, depth: int) -> tuple[bytes, int]:
        """Mend one element. Returns it, and where the next one begins."""
        vr, head, length = self.head(at, tag)
        right = self.implicit or vr == self.content[at + 4 : at + 6]
        if length == UNDEFINED and (vr in (b"SQ", b"UN") or self.implicit):
            before, self.implicit = self.implicit, self.implicit or vr == b"UN"
            # PS3.5 6.2.2: within a sequence of unknown representation, all elements are implicit.
            items, behind = self.sequence(at + head, depth + 1)
            self.implicit = before
            begin = self.content[at + 4 : at + head] if right else b"SQ\0\0" + b"\xff" * 4
            return self.content[at : at + 4] + begin + items, behind
        behind = at + head + length
        if behind > self.size:
            raise EOFError
        value = self.content[at + head : behind]
        begin = self.content[at + 4 : at + head] if right else self.explicit(vr, length)
        return self.content[at : at + 4] + begin + value, behind

    def head(self, at: int, tag: Tag) -> tuple[bytes, int, int]:
        """Read representation, bytes before the value, and the value's length."""
        if self.implicit:
            return b"", 8, self.number(at + 4, 4)
        vr = self.content[at + 4 : at + 6]
        if vr in KNOWN_VRS:
            long = vr in LONG_VRS
            return vr, 12 if long else 8, self.number(at + 8, 4) if long else self.number(at + 6, 2)
        self.faults += 1
        known = representation(tag)
        if self.number(at + 8, 4) == UNDEFINED and self.tag(at + 12) in (ITEM, SEQUENCE_END):
            return b"SQ", 12, UNDEFINED
        forms = ((8, self.number(at + 6, 2)), (12, self.number(at + 8, 4)),
                 (8, self.number(at + 4, 4)))  # fmt: skip
        for head, length in forms:
            if self.goes_on(at + head + length, tag):
                return known, head, length
        raise Broken

    def goes_on(self, at: int, tag: Tag) -> bool:
        """Return whether the next element may begin here, behind that of a tag."""
        if at == self.size:
            return True
        if at + 8 > len(self.content):
            return False
        following = self.tag(at)
        known = self.content[at + 4 : at + 6] in KNOWN_VRS
        return following[0] == 0xFFFE or (following > tag and (known or following == PIXEL_DATA))

    def sequence(self, at: int, depth: int) -> tuple[bytes, int]:
        """Mend items up to the end of their sequence, which has no length."""
        if depth > MOST_DEPTH:
            raise _TooDeep
        mended: list[bytes] = []
        while at + 8 <= len(self.content):
            tag = self.tag(at)
            if tag == ITEM:
                item, at = self.item(at, depth)
                mended.append(item)
                continue
            if tag == SEQUENCE_END:
                at += 8
            elif tag == ITEM_END:
                # One too many.
                self.faults += 1
                at += 8
                continue
            else:
                self.faults += 1
            return b"".join(mended) + self.delimiter(SEQUENCE_END), at
        raise EOFError

    def item(self, at: int, depth: int) -> tuple[bytes, int]:
        """Mend one item, and close it where it is not closed."""
        length = self.number(at + 4, 4)
        if length != UNDEFINED:
            if at + 8 + length > len(self.content):
                raise EOFError
            return self.content[at : at + 8 + length], at + 8 + length
        elements, behind, tag = self.elements(at + 8, depth)
        if tag is None:
            raise EOFError
        if tag == ITEM_END:
            behind += 8
        else:
            self.faults += 1
        return self.content[at : at + 8] + elements + self.delimiter(ITEM_END), behind

    def explicit(self, vr: bytes, length: int) -> bytes:
        """Return representation and length as they stand before a value."""
        if vr in LONG_VRS or length > 0xFFFF:
            return (vr if vr in LONG_VRS else b"UN") + b"\0\0" + length.to_bytes(4, self.order)
        return vr + length.to_bytes(2, self.order)

    def delimiter(self, tag: Tag) -> bytes:
        return b"".join(half.to_bytes(2, self.order) for half in tag) + bytes(4)

    def tag(self, at: int) -> Tag:
        return self.number(at, 2), self.number(at + 2, 2)

    def number(self, at: int, size: int) -> int:
        return int.from_bytes(self.content[at : at + size], self.order)


def representation(tag: Tag) -> bytes:
    """Return the representation that the standard gives a tag, or UN."""
    try:
        # Of several, as US or SS, the first.
        return dictionary_VR(tag)[:2].encode() if tag[0] % 2 == 0 else b"UN"
    except KeyError:
        return b"UN"
