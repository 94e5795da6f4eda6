"""DICOMweb gives bounded answers of films made to harm, or they are refused by a code."""

import json
from pathlib import Path

from ingest.dicom.web.json_attributes import MOST_OF_ALL
from ingest.reader.reader_process import Reader
from readfirst.errors import Refused
from tests.fuzz.hostile_dicom import hostile_dicom


def test_hostile_films_are_given_within_bounds_or_refused(reader: Reader, tmp_path: Path) -> None:
    path = tmp_path / "film"
    answers = 0
    for name, content in hostile_dicom():
        path.write_bytes(content)
        try:
            attributes = reader.json_attributes(path)
            frame = reader.frame(path, 1, plain=False)
        except Refused:
            continue
        assert len(json.dumps(attributes, allow_nan=False)) <= 2 * MOST_OF_ALL, name
        assert frame.frames >= 1, name
        answers += 1
    assert answers > 10
