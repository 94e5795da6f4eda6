"""Bits and sign of stored values, by what the values prove (PS3.5 8.1.1, PS3.3 C.7.6.3.1).

Values that lost their high bits, or have the wrong sign, jump from one end of their range to the
other where they ought to go on. Only that is a proof: a right film is never changed.
"""

import numpy as np
from pydicom.dataset import Dataset

from ingest.dicom.corrections.roughness import ROUGH, Pixels, adjacent_rows, roughness

#: Share of adjacent_rows that jump over half the range where something is wrong; the part of them
#: that goes on smoothly once it is set right; and the part that may be left then.
JUMPS, GO_ON, JUMPS_LEFT = 0.0005, 0.5, 0.1
#: On either side of the jump is this share of the values, and so many different ones.
LEAST_SHARE, LEAST_VALUES = 0.1, 16


def with_true_bits(pixels: Pixels, dataset: Dataset) -> list[str]:
    """Set Bits Stored and High Bit of a data set right where the values prove others.

    pixels: (rows, columns), as allocated. Returns what was set right.
    """
    allocated = 8 * pixels.itemsize
    stored, high = int(dataset.BitsStored), int(dataset.HighBit)
    if pixels.ndim != 2 or stored == allocated or pixels.itemsize > 2:
        return []
    if pixels.dtype.kind != "u":
        # The bits above may be the sign, or nothing: devices differ.
        return []
    # Some rows say whether it is worth to look at all of them.
    bits = int(adjacent_rows(pixels).max()).bit_length()
    if (high >= stored and bits <= stored) or bits > high + 1:
        bits = int(pixels.max()).bit_length()
    if high >= stored and bits <= stored and _has_low_bits(pixels, high + 1 - stored):
        dataset.HighBit = stored - 1
        return [f"the high bit is {stored - 1} and is said to be {high}"]
    if bits <= high + 1 or not _lost_high_bits(pixels, stored, high):
        return []
    dataset.BitsStored, dataset.HighBit = bits, bits - 1
    return [f"{bits} bits are stored and {stored} are said to be"]


def with_true_sign(pixels: Pixels, dataset: Dataset) -> tuple[Pixels, list[str]]:
    """Return values signed or unsigned, as they prove to be, and what was set right.

    pixels: (rows, columns), nothing but the stored bits.
    """
    if pixels.ndim != 2 or pixels.itemsize > 2 or pixels.dtype.kind not in "iu":
        return pixels, []
    bits = int(dataset.BitsStored)
    sample = adjacent_rows(pixels)
    other = _with_other_sign(sample, bits)
    jumps, left = _jumps(sample, bits), _jumps(other, bits)
    share = float(jumps.mean())
    is_wrong = share >= JUMPS and left.mean() <= JUMPS_LEFT * share
    if not is_wrong or not _has_two_halves(sample, bits):
        return pixels, []
    declared = int(dataset.PixelRepresentation)
    dataset.PixelRepresentation = 1 - declared
    words = ("unsigned", "signed")
    text = f"values are {words[1 - declared]} and are said to be {words[declared]}"
    return _with_other_sign(pixels, bits), [text]


def _has_low_bits(pixels: Pixels, below: int) -> bool:
    """Return whether values use bits below those that are said to be stored."""
    return bool((pixels & (2**below - 1)).any())


def _lost_high_bits(pixels: Pixels, stored: int, high: int) -> bool:
    """Return whether the bits that are said to be stored jump where all bits go on.

    Overlays in the bits above do not: where the values jump below them, all bits jump.
    """
    whole = adjacent_rows(pixels)
    kept = (whole << (8 * pixels.itemsize - 1 - high)) >> (8 * pixels.itemsize - stored)
    jumps = _apart(kept) > 2 ** (stored - 1)
    go_on = jumps & (_apart(whole) <= 2 ** (high + 1) // 2)
    enough = jumps.mean() >= JUMPS and go_on.sum() >= GO_ON * jumps.sum()
    return bool(enough) and roughness(pixels) < ROUGH


def _jumps(sample: Pixels, bits: int) -> Pixels:
    """Find the adjacent_rows that differ by more than half the range.

    Those at the very ends do not count: saturated and blackened parts may have any neighbour.
    """
    low = -(2 ** (bits - 1)) if sample.dtype.kind == "i" else 0
    inner = ((sample > low) & (sample < low + 2**bits - 1)).all(axis=0)
    jumps: Pixels = (_apart(sample) > 2 ** (bits - 1)) & inner
    return jumps


def _has_two_halves(sample: Pixels, bits: int) -> bool:
    """Return whether both halves of the range hold many values: else one is padding or writing."""
    middle = 0 if sample.dtype.kind == "i" else 2 ** (bits - 1)
    halves = (sample[sample < middle], sample[sample >= middle])
    return all(
        half.size >= LEAST_SHARE * sample.size and np.unique(half).size >= LEAST_VALUES
        for half in halves
    )


def _apart(sample: Pixels) -> Pixels:
    apart: Pixels = np.abs(sample[0].astype(np.int32) - sample[1].astype(np.int32))
    return apart


def _with_other_sign(pixels: Pixels, bits: int) -> Pixels:
    """Return the same bits as signed values where they were unsigned, and the other way round."""
    unused = 8 * pixels.itemsize - bits
    kind = "u" if pixels.dtype.kind == "i" else "i"
    moved: Pixels = (pixels << unused).view(f"{kind}{pixels.itemsize}") >> unused
    return moved
