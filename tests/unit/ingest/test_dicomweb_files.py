"""Files as DICOMweb gives them: attributes in JSON, and frames."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
)

from ingest.dicom.web.frames import plain_frame, stored_frame
from ingest.dicom.web.json_attributes import MOST_OF_ONE, json_attributes
from readfirst.errors import Refused
from readfirst.refusals import RefusalCode
from readfirst.samples import FOLDER
from tests.support.files import (
    a_big_endian_file,
    a_dataset,
    a_dicom_file,
    a_gradient,
    as_it_is,
    dicom_bytes,
)
from tests.support.odd_films import a_chest_film, jpeg
from tests.support.raw_values import with_raw_value

DEEP = a_gradient(bits=12)


def attributes_of(path: Path) -> dict[str, Any]:
    attributes: dict[str, Any] = json.loads(json_attributes(path))
    return attributes


def a_film(folder: Path, content: bytes) -> Path:
    path = folder / "film"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    "syntax",
    [ExplicitVRLittleEndian, ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian, RLELossless],
)
def test_attributes_are_those_of_the_file_but_for_its_pixels(tmp_path: Path, syntax: str) -> None:
    item = Dataset()
    item.RequestedProcedureID = "RP-1"
    dataset = a_dataset(DEEP, 12, RequestAttributesSequence=[item], PixelSpacing=[0.1, 0.2])
    path = a_film(tmp_path, dicom_bytes(dataset, syntax))
    attributes = attributes_of(path)
    assert attributes.pop("00083002")["Value"] == [syntax]
    assert attributes.pop("00080005")["Value"] == ["ISO_IR 192"]
    read = Dataset.from_json(attributes)
    del dataset.PixelData
    assert read == Dataset(dataset)
    assert list(attributes) == sorted(attributes)


@pytest.mark.parametrize(
    ("charset", "raw", "name"),
    [
        ("ISO_IR 100", "Müller^Jürgen".encode("latin-1"), {"Alphabetic": "Müller^Jürgen"}),
        (
            "GB18030",
            "Wang=王^小东".encode("gb18030"),
            {"Alphabetic": "Wang", "Ideographic": "王^小东"},
        ),
    ],
)
def test_names_are_utf_8_whatever_the_file_has(
    tmp_path: Path, charset: str, raw: bytes, name: dict[str, str]
) -> None:
    content = dicom_bytes(a_dataset(a_gradient(), SpecificCharacterSet=charset))
    attributes = attributes_of(a_film(tmp_path, with_raw_value(content, "PatientName", raw)))
    assert attributes["00100010"]["Value"] == [name]


def test_what_is_no_number_or_too_long_is_left_out_and_nothing_else(tmp_path: Path) -> None:
    dataset = a_dataset(
        a_gradient(),
        ExposureTimeInms=float("nan"),
        ImageComments="x" * 9000,
        ICCProfile=b"\1" * MOST_OF_ONE,
    )
    attributes = attributes_of(a_film(tmp_path, dicom_bytes(dataset)))
    assert "00282000" not in attributes
    assert "0018152A" not in attributes
    assert len(attributes["00204000"]["Value"][0]) == 9000
    assert attributes["00100020"]["Value"] == ["TEST-1"]


def test_too_many_attributes_are_refused(tmp_path: Path) -> None:
    dataset = a_dataset(a_gradient())
    for number in range(40):
        dataset.add_new((0x0011, 0x1000 + number), "UT", "x" * 120_000)
    with pytest.raises(Refused) as refused:
        json_attributes(a_film(tmp_path, dicom_bytes(dataset)))
    assert refused.value.code is RefusalCode.TOO_LARGE


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian])
def test_plain_pixels_are_given_as_they_lie(tmp_path: Path, syntax: str) -> None:
    path = a_film(tmp_path, dicom_bytes(a_dataset(DEEP, 12), syntax))
    frame = stored_frame(path, 1)
    assert (frame.frames, frame.transfer_syntax_uid) == (1, ExplicitVRLittleEndian)
    assert frame.content == DEEP.tobytes() == plain_frame(path).content


def test_big_endian_pixels_are_turned(tmp_path: Path) -> None:
    frame = stored_frame(a_big_endian_file(tmp_path / "film", DEEP), 1)
    assert (frame.transfer_syntax_uid, frame.content) == (ExplicitVRLittleEndian, DEEP.tobytes())


@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless, JPEG2000Lossless])
def test_compressed_frames_are_given_and_decoded(tmp_path: Path, syntax: str) -> None:
    path = a_film(tmp_path, dicom_bytes(a_dataset(DEEP, 12), syntax))
    stored, plain = stored_frame(path, 1), plain_frame(path)
    assert stored.transfer_syntax_uid == syntax
    assert 0 < len(stored.content) < DEEP.nbytes
    assert (plain.transfer_syntax_uid, plain.content) == (ExplicitVRLittleEndian, DEEP.tobytes())


def test_each_of_several_frames_is_given(tmp_path: Path) -> None:
    frames = np.stack([DEEP, DEEP[::-1], DEEP[:, ::-1]])
    dataset = a_dataset(DEEP, 12, NumberOfFrames=3)
    dataset.PixelData = frames.tobytes()
    path = a_film(tmp_path, dicom_bytes(dataset))
    for number, expected in enumerate(frames, 1):
        assert stored_frame(path, number).content == expected.tobytes()
    assert stored_frame(path, 4).content == b""
    assert stored_frame(path, 4).frames == 3


def test_each_of_several_compressed_frames_is_given(tmp_path: Path) -> None:
    film = a_chest_film()
    codestreams = [jpeg(film), jpeg(film[::-1].copy())]
    dataset = a_dataset(film, NumberOfFrames=2)
    dataset.PixelData = encapsulate(codestreams)
    path = a_film(tmp_path, as_it_is(dataset, JPEGBaseline8Bit))
    for number, codestream in enumerate(codestreams, 1):
        frame = stored_frame(path, number)
        assert frame.content.rstrip(b"\0") == codestream.rstrip(b"\0")
        assert frame.transfer_syntax_uid == JPEGBaseline8Bit


def test_a_frame_says_its_own_syntax_where_the_header_says_another(tmp_path: Path) -> None:
    film = a_chest_film()
    dataset = a_dataset(film)
    dataset.PixelData = encapsulate([jpeg(film)])
    path = a_film(tmp_path, as_it_is(dataset, JPEG2000Lossless))
    assert stored_frame(path, 1).transfer_syntax_uid == JPEGBaseline8Bit


def test_colours_are_given_as_they_are_stored_alone(tmp_path: Path) -> None:
    path = a_dicom_file(tmp_path / "film", np.repeat(a_gradient()[..., None], 3, axis=2))
    assert len(stored_frame(path, 1).content) == 3 * a_gradient().size
    with pytest.raises(Refused) as refused:
        plain_frame(path)
    assert "grey" in refused.value.reason


def test_a_cut_film_has_no_frame(tmp_path: Path) -> None:
    content = (FOLDER / "study-02.dcm").read_bytes()
    with pytest.raises(Refused) as refused:
        stored_frame(a_film(tmp_path, content[: len(content) // 2]), 1)
    assert refused.value.code is RefusalCode.TRUNCATED
