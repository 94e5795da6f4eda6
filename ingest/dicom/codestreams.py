"""Compressed frames by what they say themselves: encoding, size, components, bits of a value."""

from dataclasses import dataclass

from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    UID,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from ingest.dicom.syntaxes import HIGH_THROUGHPUT_JPEG_2000, JPEG_2000

#: ISO 10918-1 B.1.1.3: start of image, end of image, start of scan.
JPEG_START, JPEG_END, SCAN = b"\xff\xd8", b"\xff\xd9", 0xDA
#: ISO 10918-1 B.1.1.3 and ISO 14495-1 C.1.1: starts of frame, by encoding.
LOSSY_FRAMES, LOSSLESS_FRAMES, LS_FRAME = (0xC0, 0xC1, 0xC2), (0xC3,), 0xF7
#: ISO 15444-1 A.4.1 and A.5.1: start of a codestream, and of its image and tile size.
CODESTREAM_START = b"\xff\x4f\xff\x51"
#: ISO 15444-15 A.2: the marker (CAP) by which a codestream says that it is HTJ2K.
CAPABILITIES = b"\xff\x50"
#: Bytes in which a JPEG 2000 file (JP2) has its boxes before the codestream.
MOST_BOXES = 1024
#: PS3.5 G.5: a frame of RLE begins with the number of its segments; the first is behind it.
RLE_HEADER, MOST_SEGMENTS = 64, 15
#: Transfer syntaxes that one decoder reads alike; what is said to be one may be another of them.
LOSSY = (JPEGBaseline8Bit, JPEGExtended12Bit)
LOSSLESS = (JPEGLossless, JPEGLosslessSV1)
LS = (JPEGLSNearLossless, JPEGLSLossless)


@dataclass(frozen=True, slots=True)
class Codestream:
    """The facts of a frame. syntaxes: those that it may have; the first where none of them is said.

    rows, columns, bits: 0 where the encoding does not say them. samples: components of a pixel.
    bytes_of_a_sample: of RLE alone, else 0.
    """

    syntaxes: tuple[UID, ...]
    rows: int
    columns: int
    samples: int
    bits: int = 0
    bytes_of_a_sample: int = 0
    #: Whether the components are red, green and blue, and need no conversion.
    is_rgb: bool = True


def first_codestream(pixel_data: bytes) -> Codestream | None:
    """Read the facts of the first frame of encapsulated Pixel Data (PS3.5 A.4)."""
    view = memoryview(pixel_data)
    # The first item is the Basic Offset Table.
    at = 8 + int.from_bytes(view[4:8], "little")
    length = int.from_bytes(view[at + 4 : at + 8], "little")
    return codestream_of(view[at + 8 : at + 8 + length])


def codestream_of(frame: bytes | memoryview) -> Codestream | None:
    """Read the facts at the start of a frame; None where it has no start that is known."""
    head = bytes(frame[:MOST_BOXES])
    if head.startswith(JPEG_START):
        return _jpeg(frame)
    at = head.find(CODESTREAM_START)
    if at == 0 or (at > 0 and head[4:8] == b"jP  "):
        return _jpeg_2000(bytes(frame[at : at + 4096]))
    return _rle(head)


def is_whole(begin: bytes, end: bytes) -> bool:
    """Return whether a frame goes on to its end, by its first bytes and its last ones."""
    written = end.rstrip(b"\0")
    if begin.startswith((JPEG_START, CODESTREAM_START)):
        # ISO 10918-1 B.1.1.3, ISO 15444-1 A.4.4: the same marker in both.
        return written.endswith(JPEG_END)
    # One zero may fill up the last word.
    return bool(begin) and len(end) - len(written) <= 1


def _jpeg(frame: bytes | memoryview) -> Codestream | None:
    """Walk the segments to the start of the frame (ISO 10918-1 B.2.2)."""
    at, transform = 2, None
    while at + 10 <= len(frame) and frame[at] == 0xFF:
        marker = frame[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        segment = bytes(frame[at + 4 : at + 2 + int.from_bytes(frame[at + 2 : at + 4])])
        if marker == 0xEE and segment.startswith(b"Adobe") and len(segment) >= 12:
            transform = segment[11]
        if marker in (*LOSSY_FRAMES, *LOSSLESS_FRAMES, LS_FRAME) and len(segment) >= 6:
            return _jpeg_frame(marker, segment, transform)
        if marker == SCAN:
            return None
        at += 4 + max(0, int.from_bytes(frame[at + 2 : at + 4]) - 2)
    return None


def _jpeg_frame(marker: int, segment: bytes, transform: int | None) -> Codestream:
    bits, samples = segment[0], segment[5]
    syntaxes: tuple[UID, ...] = LOSSLESS
    is_rgb = True
    if marker == LS_FRAME:
        syntaxes = LS
    elif marker in LOSSY_FRAMES:
        syntaxes = LOSSY if bits == 8 else LOSSY[::-1]
        # Adobe's technical note 5116: 0 is no transform; JFIF has none but YCbCr.
        is_rgb = transform == 0 or segment[6::3][:3] == b"RGB"
    rows, columns = int.from_bytes(segment[1:3]), int.from_bytes(segment[3:5])
    return Codestream(syntaxes, rows, columns, samples, bits, is_rgb=is_rgb)


def _jpeg_2000(stream: bytes) -> Codestream | None:
    """Read image and tile size (ISO 15444-1 A.5.1)."""
    if len(stream) < 48:
        return None
    sizes = [int.from_bytes(stream[at : at + 4]) for at in range(8, 24, 4)]
    columns, rows = sizes[0] - sizes[2], sizes[1] - sizes[3]
    samples, bits = int.from_bytes(stream[40:42]), (stream[42] & 0x7F) + 1
    behind = 4 + int.from_bytes(stream[4:6])
    high_throughput = stream[behind : behind + 2] == CAPABILITIES
    return Codestream((HTJ2K, *HIGH_THROUGHPUT_JPEG_2000) if high_throughput else
                      (JPEG2000, *JPEG_2000), rows, columns, samples, bits)  # fmt: skip


def _rle(head: bytes) -> Codestream | None:
    """Count the segments: one for each byte of each sample (PS3.5 G.2)."""
    segments = int.from_bytes(head[:4], "little")
    first = int.from_bytes(head[4:8], "little")
    if not 1 <= segments <= MOST_SEGMENTS or first != RLE_HEADER or len(head) < RLE_HEADER:
        return None
    samples = 3 if segments % 3 == 0 else 1
    return Codestream((RLELossless,), 0, 0, samples, bytes_of_a_sample=segments // samples)
