"""Compressed zeros, as bombs are made of: a block that is compressed once, again and again."""

import zlib
from functools import cache
from typing import Final

MEBIBYTE: Final = 1 << 20
#: RFC 1950 2.2: the header of a stream at the strongest level, and the modulus of its checksum.
ZLIB_START, ADLER_MODULUS = b"\x78\xda", 65_521


def deflated_zeros(size: int) -> bytes:
    """A whole raw stream (RFC 1951) that inflates to so many zeros (bytes)."""
    blocks, rest = divmod(size, MEBIBYTE)
    squeeze = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    return _block() * blocks + squeeze.compress(bytes(rest)) + squeeze.flush()


def compressed_zeros(size: int) -> bytes:
    """The same as `zlib.compress(bytes(size))`, but for its bytes: a stream with its checksum."""
    # Of zeros, the lower half stays 1, and the upper one counts them.
    checksum = (size % ADLER_MODULUS) << 16 | 1
    return ZLIB_START + deflated_zeros(size) + checksum.to_bytes(4, "big")


@cache
def _block() -> bytes:
    """A mebibyte of zeros that refers to nothing before it, and ends with a byte."""
    squeeze = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    return squeeze.compress(bytes(MEBIBYTE)) + squeeze.flush(zlib.Z_FULL_FLUSH)
