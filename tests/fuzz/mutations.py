"""Ways to break a file, each by a seeded chance, so that every run can be repeated."""

import random
import struct
from collections.abc import Callable, Sequence

from tests.fuzz.dicom_mutations import (
    header_against_data,
    odd_delimiter,
    odd_number,
    odd_representation,
    other_syntax,
)

#: Numbers at which programs go wrong: none, one, the ends of signed and unsigned fields.
NUMBERS = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFE, 0xFFFF, 0x10000,
           0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)  # fmt: skip
#: Where headers are, which say how all the rest is to be read (bytes).
HEAD = 4096
#: The most bytes that are moved, doubled or blotted out at once.
MOST = 2048

Change = Callable[[random.Random, bytes, Sequence[int], bytes], bytes]


def mutate(
    chance: random.Random, content: bytes, boundaries: Sequence[int], donor: bytes
) -> tuple[str, bytes]:
    """Apply one to four changes, one after the other; their names, and what became of the file.

    boundaries: where the parts of the file begin. donor: another file, to be grafted on.
    """
    names = []
    for _ in range(chance.choices((1, 2, 3, 4), weights=(6, 3, 2, 1))[0]):
        (change,) = chance.choices(list(CHANGES), weights=list(CHANGES.values()))
        content = change(chance, content, boundaries, donor)
        names.append(change.__name__)
    return "+".join(names), content


def _offset(chance: random.Random, content: bytes) -> int:
    """Somewhere: as often in the head as in all the rest."""
    end = max(1, len(content))
    return chance.randrange(min(end, HEAD) if chance.random() < 0.5 else end)


def _part(chance: random.Random, content: bytes, boundaries: Sequence[int]) -> tuple[int, int]:
    """Choose a piece from one boundary to another not far behind it, or any piece."""
    if chance.random() < 0.5 and len(boundaries) > 1:
        first = chance.randrange(len(boundaries) - 1)
        return boundaries[first], boundaries[min(first + chance.randint(1, 4), len(boundaries) - 1)]
    start = _offset(chance, content)
    return start, min(len(content), start + chance.randint(1, MOST))


def flip_bits(chance: random.Random, content: bytes, __: Sequence[int], ___: bytes) -> bytes:
    """Flip one to sixteen bits."""
    changed = bytearray(content)
    for _ in range(chance.randint(1, 16) if changed else 0):
        changed[_offset(chance, content)] ^= 1 << chance.randrange(8)
    return bytes(changed)


def lie(chance: random.Random, content: bytes, boundaries: Sequence[int], _: bytes) -> bytes:
    """A number where a length, a count or a size may stand, in any width and byte order."""
    near = chance.choice(list(boundaries)) + chance.choice((-8, -6, -4, -2, 0, 2, 4, 6))
    at = near if chance.random() < 0.7 else _offset(chance, content)
    width, order = chance.choice("HI"), chance.choice("<>")
    number = chance.choice(NUMBERS) if chance.random() < 0.7 else chance.getrandbits(32)
    size = struct.calcsize(width)
    field = struct.pack(order + width, number % (1 << 8 * size))
    at = min(max(0, at), max(0, len(content) - size))
    return content[:at] + field + content[at + size :]


def cut(chance: random.Random, content: bytes, boundaries: Sequence[int], _: bytes) -> bytes:
    """The rest is missing."""
    if chance.random() < 0.5:
        return content[: chance.choice(list(boundaries))]
    return content[: _offset(chance, content)]


def leave_out(chance: random.Random, content: bytes, boundaries: Sequence[int], _: bytes) -> bytes:
    """A part is missing."""
    start, end = _part(chance, content, boundaries)
    return content[:start] + content[end:]


def repeat(chance: random.Random, content: bytes, boundaries: Sequence[int], _: bytes) -> bytes:
    """A part stands there again and again."""
    start, end = _part(chance, content, boundaries)
    times = chance.choice((2, 3, 10, 200))
    return content[:start] + content[start:end][:MOST] * times + content[end:]


def move(chance: random.Random, content: bytes, boundaries: Sequence[int], _: bytes) -> bytes:
    """A part stands elsewhere."""
    start, end = _part(chance, content, boundaries)
    rest = content[:start] + content[end:]
    at = _offset(chance, rest)
    return rest[:at] + content[start:end] + rest[at:]


def blot(chance: random.Random, content: bytes, boundaries: Sequence[int], _: bytes) -> bytes:
    """A part is overwritten: by zeros, ones or noise."""
    start, end = _part(chance, content, boundaries)
    size = min(end - start, MOST)
    noise = chance.choice((b"\0" * size, b"\xff" * size, chance.randbytes(size)))
    return content[:start] + noise + content[start + size :]


def insert(chance: random.Random, content: bytes, _: Sequence[int], __: bytes) -> bytes:
    """Noise between two parts."""
    at = _offset(chance, content)
    return content[:at] + chance.randbytes(chance.choice((1, 2, 7, 64, 1000))) + content[at:]


def graft(chance: random.Random, content: bytes, boundaries: Sequence[int], donor: bytes) -> bytes:
    """The head of this file and the rest of another one."""
    at = chance.choice(list(boundaries))
    return content[:at] + donor[_offset(chance, donor) :]


#: With their weights: what keeps a file's length gets past its header, to the decoders. The last
#: ones are for DICOM alone.
CHANGES: dict[Change, int] = {
    flip_bits: 5,
    lie: 5,
    blot: 3,
    repeat: 1,
    insert: 1,
    move: 1,
    leave_out: 1,
    cut: 1,
    graft: 1,
    odd_number: 3,
    header_against_data: 3,
    odd_representation: 2,
    odd_delimiter: 2,
    other_syntax: 1,
}
