"""Headers against native pixels: how many samples of how many bytes, and in which order.

The length of the pixel data and the picture that comes out prove it; else the image is refused.
"""

from dataclasses import dataclass, replace

import numpy as np
from pydicom.dataset import Dataset

from ingest.dicom.corrections.roughness import LEAST_SIDE, ROUGH, Pixels, roughness
from readfirst.errors import Refused
from readfirst.refusals import RefusalCode

#: By the bytes of a pixel: samples, and bits that are allocated to each.
BY_BYTES = {1: (1, 8), 2: (1, 16), 3: (3, 8), 6: (3, 16)}


@dataclass(frozen=True, slots=True)
class Layout:
    """The order of native samples. planar: all of one colour come before those of the next."""

    rows: int
    columns: int
    samples: int
    bits: int
    planar: bool = False

    @property
    def size(self) -> int:
        """Bytes of a frame."""
        return self.rows * self.columns * self.samples * self.bits // 8

    def read(self, content: bytes, order: str) -> Pixels:
        """Return (rows, columns), or (rows, columns, 3). order: of bytes, as NumPy writes it."""
        values = np.frombuffer(content, f"{order}u{self.bits // 8}", self.size * 8 // self.bits)
        if self.samples == 1:
            return values.reshape(self.rows, self.columns)
        if self.planar:
            return np.moveaxis(values.reshape(self.samples, self.rows, self.columns), 0, -1)
        return values.reshape(self.rows, self.columns, self.samples)


def with_true_layout(dataset: Dataset, content: bytes, *, little_endian: bool) -> list[str]:
    """Let a data set say how its native pixels lie, and return what was set right.

    content: all of Pixel Data, of one frame, without padding. Raises Refused where its length fits
    no size, or where nothing proves that it is more than a part of the film.
    """
    declared = _declared(dataset)
    order = "<" if little_endian else ">"
    if declared is None:
        return []
    if len(content) in (declared.size, declared.size + 1):
        return _planar(dataset, declared, content, order)
    true = _proven(declared, content, order)
    if true is None:
        actual = len(content) / (declared.rows * declared.columns)
        detail = (
            f"{actual:.4g} bytes a pixel, {declared.samples * declared.bits // 8} in the header"
        )
        raise Refused(RefusalCode.PIXELS_UNREADABLE, detail)
    _write(dataset, true)
    return [f"the pixels have {true.samples} samples of {true.bits} bits "
            f"and say {declared.samples} of {declared.bits}"]  # fmt: skip


def _declared(dataset: Dataset) -> Layout | None:
    """Return what the header says; None for what is too odd to be held against the pixels."""
    samples, bits = int(dataset.SamplesPerPixel), int(dataset.BitsAllocated)
    subsampled = str(dataset.PhotometricInterpretation).endswith(("_422", "_420"))
    if samples not in (1, 3) or bits not in (8, 16) or subsampled:
        return None
    planar = samples == 3 and dataset.PlanarConfiguration == 1
    return Layout(int(dataset.Rows), int(dataset.Columns), samples, bits, planar)


def _planar(dataset: Dataset, declared: Layout, content: bytes, order: str) -> list[str]:
    """Set Planar Configuration right where the colours make no picture as it says."""
    if declared.samples == 1 or min(declared.rows, declared.columns) < LEAST_SIDE:
        return []
    other = replace(declared, planar=not declared.planar)
    pixels, others = declared.read(content, order), other.read(content, order)
    rough = roughness(pixels)
    is_rough = rough >= ROUGH and roughness(others) < ROUGH * rough
    if not is_rough and (declared.planar or not _are_planes(pixels, others)):
        return []
    dataset.PlanarConfiguration = int(other.planar)
    return [f"Planar Configuration is {int(other.planar)} and says {int(declared.planar)}"]


def _proven(declared: Layout, content: bytes, order: str) -> Layout | None:
    """Return the layout whose size is that of the content and that makes a picture of it."""
    pixels = declared.rows * declared.columns
    samples, bits = BY_BYTES.get(len(content) // pixels, (0, 0))
    if not samples or len(content) - len(content) // pixels * pixels > 1:
        return None
    interleaved = Layout(declared.rows, declared.columns, samples, bits)
    if samples == 3 and _planes_are_alike(declared, bits, content, order):
        return Layout(declared.rows, declared.columns, 3, bits, planar=True)
    planes = replace(interleaved, planar=True)
    if samples == 3 and _are_planes(interleaved.read(content, order), planes.read(content, order)):
        # Colours, or three frames.
        return None
    if samples == 1 and _bytes_are_alike(content) != (bits == 8):
        return None
    rough = roughness(interleaved.read(content, order))
    # Of more than one frame, or of more rows, the first part is a picture as the header says.
    part = roughness(declared.read(content, order)) if declared.size < len(content) else 1.0
    return interleaved if rough < ROUGH and rough < ROUGH * part else None


def _are_planes(interleaved: Pixels, planar: Pixels) -> bool:
    """Return whether colours that were read as interleaved are planes.

    They make three small pictures beside each other then, and a smoother one as planes.
    """
    third = interleaved.shape[1] // 3
    left, middle = (interleaved[:, at : at + third].astype(int) for at in (0, third))
    alike = np.abs(left - middle).mean()
    apart = np.abs(left - np.roll(left, third // 3, axis=1)).mean()
    return bool(alike < ROUGH * apart) and roughness(planar) < min(ROUGH, roughness(interleaved))


def _bytes_are_alike(content: bytes) -> bool:
    """Return whether bytes are like the next one: two pixels, and not the halves of one."""
    halves = np.frombuffer(content, np.uint8, len(content) // 2 * 2).reshape(-1, 2).astype(int)
    apart = np.abs(halves[:, 0] - np.roll(halves[:, 0], len(halves) // 3)).mean()
    return bool(np.abs(halves[:, 0] - halves[:, 1]).mean() < ROUGH * apart)


def _planes_are_alike(declared: Layout, bits: int, content: bytes, order: str) -> bool:
    """Return whether the content is one grey picture, three times: else it may be three frames."""
    planes = Layout(declared.rows, declared.columns, 3, bits, planar=True).read(content, order)
    alike = (planes[..., :1] == planes[..., 1:]).all()
    return bool(alike) and roughness(planes) < ROUGH


def _write(dataset: Dataset, true: Layout) -> None:
    stored = min(int(dataset.BitsStored), true.bits)
    if true.bits > int(dataset.BitsAllocated):
        stored = true.bits
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = true.bits, stored, stored - 1
    if true.bits < 16:
        dataset.BitsStored, dataset.HighBit = true.bits, true.bits - 1
    if int(dataset.SamplesPerPixel) != true.samples:
        dataset.SamplesPerPixel = true.samples
    dataset.PlanarConfiguration = int(true.planar)
