"""DICOM results of files made to harm: made whole, or the film is refused by a code."""

import io
from datetime import datetime
from pathlib import Path

from pydicom import dcmread

from ingest.reader.film_source import FilmSource
from ingest.reader.reader_process import Reader
from readfirst.errors import Refused
from readfirst.results.values import AiResult, ResultKind
from tests.fuzz.hostile_dicom import hostile_dicom
from tests.support.results import MAKERS, a_result, a_source, a_study, an_image_result


def of_film(source: FilmSource) -> AiResult | None:
    """A result with all that the header of a film says; None if nothing can refer to it."""
    header = source.header
    uids = (
        header.sop_class_uid, header.sop_instance_uid, header.series_instance_uid,
        header.study_instance_uid,
    )  # fmt: skip
    if not all(uids):
        return None
    at = header.study_datetime
    study = a_study(
        study_instance_uid=header.study_instance_uid,
        study_id=source.study_id,
        study_datetime=at.replace(tzinfo=None) if at else datetime(2026, 1, 1),
        orders=source.orders,
        **{
            name: getattr(header, name)
            for name in (
                "accession_number", "study_description", "referring_physician_name", "patient_id",
                "issuer_of_patient_id", "patient_name", "patient_birth_date", "patient_sex",
            )
        },
    )  # fmt: skip
    image = a_source(
        sop_class_uid=header.sop_class_uid,
        sop_instance_uid=header.sop_instance_uid,
        series_instance_uid=header.series_instance_uid,
        rows=header.rows,
        columns=header.columns,
        patient_orientation=source.patient_orientation,
    )
    return a_result(study=study, images=(an_image_result(image=image),))


def test_hostile_films_have_whole_results_or_none(reader: Reader, tmp_path: Path) -> None:
    path = tmp_path / "film"
    made = 0
    for name, content in hostile_dicom():
        path.write_bytes(content)
        try:
            result = of_film(reader.source(path))
        except Refused:
            continue
        if result is None:
            continue
        for kind in (ResultKind.SR, ResultKind.KOS, ResultKind.VERDICT):
            buffer = io.BytesIO()
            MAKERS[kind](result).save_as(buffer, enforce_file_format=True)
            again = dcmread(io.BytesIO(buffer.getvalue()))
            assert again.StudyInstanceUID == result.study.study_instance_uid, name
            made += 1
    assert made
