"""All elements of a file, bounded."""

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from pydicom.dataset import Dataset, FileDataset
from pydicom.sequence import Sequence

from ingest.dicom.elements import MOST_CHARACTERS, MOST_ROWS, Element, read_all
from ingest.reader.reader_process import Reader
from readfirst.errors import Refused
from readfirst.samples import FOLDER
from tests.support.files import a_dataset, a_gradient, dicom_bytes


def written(dataset: FileDataset, folder: Path) -> Path:
    path = folder / "film.dcm"
    path.write_bytes(dicom_bytes(dataset))
    return path


def by_tag(elements: list[Element]) -> dict[str, Element]:
    return {element.tag: element for element in elements}


def test_every_element_before_the_pixels_is_told_from_the_sandbox(reader: Reader) -> None:
    by_name = by_tag(reader.elements(FOLDER / "study-02.dcm"))
    assert by_name["(0010,0020)"].value == "DEMO-0010"
    assert by_name["(0008,0008)"].value == "ORIGINAL\\PRIMARY"
    assert by_name["(0002,0010)"].keyword == "TransferSyntaxUID"
    assert by_name["(0002,0001)"].value == "2 bytes, not shown"
    assert "(7FE0,0010)" not in by_name


def test_sequences_private_elements_and_long_values(tmp_path: Path, reader: Reader) -> None:
    dataset = a_dataset(a_gradient())
    item = Dataset()
    item.CodeMeaning = "posterior-anterior"
    dataset.ViewCodeSequence = Sequence([item])
    dataset.private_block(0x0029, "ACME 1.0", create=True).add_new(0x01, "LO", "secret")
    dataset.ImageComments = "x" * 10_000
    dataset.StudyDescription = "line\x07one"
    dataset.RedPaletteColorLookupTableData = b"\0" * 512
    elements = reader.elements(written(dataset, tmp_path))
    by_name = by_tag(elements)
    assert by_name["(0054,0220)"].value == "1 item"
    assert (by_name["(0008,0104)"].depth, by_name["(0008,0104)"].value) == (1, "posterior-anterior")
    assert by_name["(0029,1001)"].keyword == "Private: ACME 1.0"
    assert by_name["(0029,0010)"].keyword == "Private Creator"
    assert by_name["(0020,4000)"].value == "x" * MOST_CHARACTERS + "…"
    assert by_name["(0008,1030)"].value == "line one"
    assert by_name["(0028,1201)"].value == "512 bytes, not shown"


def test_a_value_that_cannot_be_read_hides_no_other(tmp_path: Path) -> None:
    dataset = a_dataset(a_gradient())
    path = written(dataset, tmp_path)
    content = path.read_bytes()
    begin = content.index(b"\x28\x00\x10\x00US")
    # Rows, as a number of eight bytes, of which there are two.
    path.write_bytes(content[:begin] + b"\x28\x00\x10\x00FD\x02\x00xy" + content[begin + 10 :])
    by_name = by_tag(read_all(path))
    assert by_name["(0028,0010)"].value == "cannot be read"
    assert by_name["(0028,0011)"].value.isdigit()


def test_a_header_without_end_is_cut_and_says_so(tmp_path: Path, reader: Reader) -> None:
    dataset = a_dataset(a_gradient())
    items = []
    for number in range(MOST_ROWS):
        item = Dataset()
        item.CodeMeaning = f"é{number}".ljust(64, "é")
        items.append(item)
    dataset.ViewCodeSequence = Sequence(items)
    elements = reader.elements(written(dataset, tmp_path))
    assert len(elements) <= MOST_ROWS + 1
    assert elements[-1].value == "there is more, which is not shown"


def test_a_picture_tells_the_facts_of_its_file(reader: Reader) -> None:
    by_name = {row.keyword: row.value for row in reader.elements(FOLDER / "film-01.jpg")}
    assert by_name["Format"] == "JPEG"
    assert int(by_name["Bytes"]) == (FOLDER / "film-01.jpg").stat().st_size
    with Image.open(FOLDER / "film-01.jpg") as image:
        assert (by_name["Columns"], by_name["Rows"]) == (str(image.width), str(image.height))


def test_what_is_no_image_is_refused(tmp_path: Path) -> None:
    for content in (b"nothing", BytesIO(b"\xff\xd8\xff\xe0" + b"x" * 40).getvalue()):
        path = tmp_path / "file"
        path.write_bytes(content)
        with pytest.raises(Refused):
            read_all(path)
