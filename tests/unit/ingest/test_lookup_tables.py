"""Look-up tables whose descriptor does not fit their data."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset

from tests.support.files import a_dataset
from tests.support.odd_films import a_deep_film, a_table, displayed, explicit

DEEP = a_deep_film()
#: A film curve over 12 bits, in 12 bits; the grey that it makes; and the same in 8 bits.
CURVE = [round(4095 * (value / 4095) ** 0.6) for value in range(4096)]
GREY = np.rint(np.asarray(CURVE)[DEEP] / 4095 * 255)
SHORT_CURVE = [round(255 * (value / 4095) ** 0.6) for value in range(4096)]
PLAIN = np.rint((DEEP - float(DEEP.min())) / (float(DEEP.max()) - DEEP.min()) * 255)


def a_film(keyword: str, *items: Dataset, pixels: Any = DEEP, **attributes: Any) -> bytes:
    dataset = a_dataset(pixels, bits=12, **attributes)
    dataset.add_new(keyword, "SQ", list(items))
    return explicit(dataset)


@pytest.mark.parametrize("bits", [12, 16, 15, 13, 11, 10, 9, 8, 7, 1, 0, 17, 32, 255, 60_000])
@pytest.mark.parametrize("vr", ["US", "OW"])
def test_a_voi_lut_has_the_bits_that_its_highest_entry_needs(
    tmp_path: Path, bits: int, vr: str
) -> None:
    grey, corrections = displayed(
        tmp_path, a_film("VOILUTSequence", a_table(CURVE, [4096, 0, bits], vr))
    )
    np.testing.assert_array_equal(grey, GREY)
    assert bool(corrections) == (bits != 12)
    assert bits == 12 or f"12 bits and says {bits}" in corrections


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_a_modality_lut_is_read_whatever_bits_it_says(tmp_path: Path, bits: int) -> None:
    window = {"WindowCenter": "2048", "WindowWidth": "4096"}
    right = displayed(
        tmp_path, a_film("ModalityLUTSequence", a_table(CURVE, [4096, 0, 16]), **window)
    )[0]
    odd = displayed(
        tmp_path, a_film("ModalityLUTSequence", a_table(CURVE, [4096, 0, bits]), **window)
    )
    np.testing.assert_array_equal(odd[0], right)
    assert np.abs(right - GREY).max() <= 1


@pytest.mark.parametrize("keyword", ["VOILUTSequence", "ModalityLUTSequence"])
@pytest.mark.parametrize("vr", ["US", "SS", "OW", "OB", "UN", "UL", "IS", "LO"])
def test_data_of_another_representation_are_read(tmp_path: Path, keyword: str, vr: str) -> None:
    entries: Any = [str(each) for each in CURVE[::4]] if vr == "LO" else CURVE[::4]
    item = a_table(entries, [1024, 0, 12], vr)
    pixels = DEEP >> 2
    grey, _ = displayed(tmp_path, a_film(keyword, item, pixels=pixels))
    golden = np.asarray(CURVE[::4], float)[pixels]
    if keyword == "ModalityLUTSequence":
        low, high = golden.min(), golden.max()
        golden = (golden - low) / (high - low) * 4095
    assert np.abs(grey - golden / 4095 * 255).max() <= 1


@pytest.mark.parametrize("keyword", ["VOILUTSequence", "ModalityLUTSequence"])
@pytest.mark.parametrize("vr", ["OW", "OB", "US"])
def test_entries_of_eight_bits_may_be_packed(tmp_path: Path, keyword: str, vr: str) -> None:
    packed = np.asarray(SHORT_CURVE, np.uint8).view("<u2")
    item = a_table([int(each) for each in packed], [4096, 0, 8], vr)
    grey, corrections = displayed(tmp_path, a_film(keyword, item))
    assert np.abs(grey - np.asarray(SHORT_CURVE, float)[DEEP]).max() <= 1
    assert not corrections


@pytest.mark.parametrize("keyword", ["VOILUTSequence", "ModalityLUTSequence"])
@pytest.mark.parametrize("count", [0, 65535, 5000, 4097])
def test_fewer_entries_than_the_descriptor_says_are_all_there_are(
    tmp_path: Path, keyword: str, count: int
) -> None:
    for vr in ("US", "OW"):
        item = a_table(CURVE, [count, 0, 12], vr)
        grey, corrections = displayed(tmp_path, a_film(keyword, item))
        assert np.abs(grey - GREY).max() <= 1
        assert f"4096 entries and says {count or 65536}" in corrections


@pytest.mark.parametrize("keyword", ["VOILUTSequence", "ModalityLUTSequence"])
def test_more_entries_than_the_descriptor_says_are_read(tmp_path: Path, keyword: str) -> None:
    grey, corrections = displayed(tmp_path, a_film(keyword, a_table(CURVE, [256, 0, 12])))
    assert np.abs(grey - GREY).max() <= 1
    assert "4096 entries and says 256" in corrections


def test_a_descriptor_of_zero_entries_stands_for_65536(tmp_path: Path) -> None:
    pixels = DEEP.astype(np.uint16) << 4
    table = list(range(65536))
    dataset = a_dataset(pixels, VOILUTSequence=[a_table(table, [0, 0, 16], "OW")])
    grey, corrections = displayed(tmp_path, explicit(dataset))
    np.testing.assert_array_equal(grey, np.rint(pixels / 65535 * 255))
    assert not corrections


@pytest.mark.parametrize("keyword", ["VOILUTSequence", "ModalityLUTSequence"])
def test_the_sign_of_the_first_value_is_what_reaches_the_pixels(
    tmp_path: Path, keyword: str
) -> None:
    """A table for signed values, whose first value was written as an unsigned one."""
    signed = DEEP.astype(np.int16) - 2048
    for first in (65536 - 2048, -2048):
        dataset = a_dataset(signed, bits=12)
        dataset.add_new(keyword, "SQ", [a_table(CURVE, [4096, first, 12])])
        grey, _ = displayed(tmp_path, explicit(dataset))
        assert np.abs(grey - GREY).max() <= 1
    # And the other way round: from 40,000 on, written as a signed number.
    dataset = a_dataset(DEEP + 40_000)
    dataset.add_new(keyword, "SQ", [a_table(CURVE, [4096, 40_000 - 65536, 12])])
    assert np.abs(displayed(tmp_path, explicit(dataset))[0] - GREY).max() <= 1


def _without(item: Dataset, keyword: str) -> Dataset:
    delattr(item, keyword)
    return item


@pytest.mark.parametrize("keyword", ["VOILUTSequence", "ModalityLUTSequence"])
@pytest.mark.parametrize(
    "item",
    [
        a_table([], [4096, 0, 12], "OW"),
        a_table(CURVE, [4096], "OW"),
        a_table(CURVE, [4096, 0], "OW"),
        _without(a_table(CURVE, [4096, 0, 12]), "LUTData"),
        _without(a_table(CURVE, [4096, 0, 12]), "LUTDescriptor"),
        a_table([7] * 4096, [4096, 0, 12]),
        a_table([0] * 4096, [4096, 0, 16], "OW"),
    ],
    ids=["empty", "descriptor of one", "of two", "no data", "no descriptor", "even", "black"],
)
def test_a_table_that_says_nothing_is_left_aside(
    tmp_path: Path, keyword: str, item: Dataset
) -> None:
    grey, _ = displayed(tmp_path, a_film(keyword, item))
    np.testing.assert_array_equal(grey, PLAIN)


def test_of_several_tables_the_first_that_can_be_read_is_shown(tmp_path: Path) -> None:
    items = a_table([], [4096, 0, 12], "OW"), a_table(CURVE, [4096, 0, 12])
    np.testing.assert_array_equal(displayed(tmp_path, a_film("VOILUTSequence", *items))[0], GREY)


def test_a_window_is_shown_where_the_voi_lut_leaves_nothing(tmp_path: Path) -> None:
    window = {"WindowCenter": "1800", "WindowWidth": "2400"}
    content = a_film("VOILUTSequence", a_table([0] * 4096, [4096, 0, 12]), **window)
    grey, corrections = displayed(tmp_path, content)
    right = displayed(tmp_path, explicit(a_dataset(DEEP, bits=12, **window)))[0]
    np.testing.assert_array_equal(grey, right)
    assert "VOI LUT" in corrections


def test_something_that_is_no_sequence_of_tables_is_left_aside(tmp_path: Path) -> None:
    for keyword in ("VOILUTSequence", "ModalityLUTSequence"):
        dataset = a_dataset(DEEP, bits=12)
        dataset.add_new(keyword, "LO", "NORMAL")
        np.testing.assert_array_equal(displayed(tmp_path, explicit(dataset))[0], PLAIN)
