"""Films as DICOM results refer to them."""

from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset

from ingest.reader.film_source import read_source
from readfirst.domain import FileKind
from readfirst.errors import Refused
from readfirst.refusals import RefusalCode
from readfirst.results.values import OrderReference
from readfirst.samples import FOLDER
from tests.support.files import a_dicom_file, a_gradient
from tests.support.raw_values import with_raw_value


def an_order(**attributes: str) -> Dataset:
    item = Dataset()
    for keyword, value in attributes.items():
        setattr(item, keyword, value)
    return item


def test_what_a_result_refers_to_is_read(tmp_path: Path) -> None:
    order = an_order(RequestedProcedureID="RP-1", RequestedProcedureDescription="Chest")
    source = read_source(
        a_dicom_file(
            tmp_path / "film",
            StudyID="7",
            PatientOrientation=["L", "F"],
            RequestAttributesSequence=[order, order],
            WindowCenter=100,
            WindowWidth=50,
        )
    )
    assert (source.study_id, source.patient_orientation) == ("7", ("L", "F"))
    assert source.orders == (
        OrderReference(requested_procedure_id="RP-1", requested_procedure_description="Chest"),
    )
    window = Dataset.from_json(source.presentation)
    assert (window.WindowCenter, window.WindowWidth, window.BitsStored) == (100, 50, 8)
    assert window.PhotometricInterpretation == "MONOCHROME2"
    assert "PatientName" not in window


def test_the_order_may_stand_in_the_film_itself(tmp_path: Path) -> None:
    film = a_dicom_file(tmp_path / "film", FillerOrderNumberImagingServiceRequest="F-1")
    assert read_source(film).orders == (OrderReference(filler_order_number="F-1"),)
    assert read_source(a_dicom_file(tmp_path / "other")).orders == ()


@pytest.mark.parametrize(
    "value", ["L", ["L"], ["", ""], ["L", "F", "A"], ["UP", "DOWN"], "SIDEWAYS"]
)
def test_an_orientation_is_two_directions_or_unknown(tmp_path: Path, value: object) -> None:
    film = a_dicom_file(tmp_path / "film", PatientOrientation=value)
    assert read_source(film).patient_orientation == ()


def test_a_film_that_breaks_how_it_is_shown_says_nothing_of_it(tmp_path: Path) -> None:
    path = a_dicom_file(tmp_path / "film", a_gradient(), WindowCenter="100", WindowWidth="50")
    path.write_bytes(with_raw_value(path.read_bytes(), "WindowCenter", b"1x"))
    source = read_source(path)
    assert source.presentation == {}
    assert source.header.rows == 48


def test_a_huge_table_is_left_out_with_all_that_needs_it(tmp_path: Path) -> None:
    table = Dataset()
    table.add_new("LUTDescriptor", "US", [0, 0, 16])
    table.add_new("LUTData", "OW", np.zeros(2**20, dtype="<u2").tobytes())
    film = a_dicom_file(tmp_path / "film", VOILUTSequence=[table])
    assert read_source(film).presentation == {}


def test_a_picture_says_nothing() -> None:
    source = read_source(FOLDER / "film-02.jpg")
    assert source.header.kind is FileKind.JPEG
    assert (source.study_id, source.orders, source.presentation) == (None, (), {})


def test_what_is_no_film_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "film"
    path.write_bytes(b"no film")
    with pytest.raises(Refused) as caught:
        read_source(path)
    assert caught.value.code is RefusalCode.NOT_AN_IMAGE
