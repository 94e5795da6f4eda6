"""DICOM results as values become objects: what they say, what they never say, and their UIDs."""

import io
import logging
from dataclasses import replace
from datetime import datetime
from typing import Any, cast

import numpy as np
import pytest
from highdicom.ko import KeyObjectSelectionDocument
from highdicom.sr import ComprehensiveSR, MeasurementReport, MeasurementsAndQualitativeEvaluations
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.uid import (
    ComprehensiveSRStorage,
    DigitalXRayImageStorageForPresentation,
    GrayscaleSoftcopyPresentationStateStorage,
    KeyObjectSelectionDocumentStorage,
    SecondaryCaptureImageStorage,
)

from readfirst import DISCLAIMER
from readfirst.results.assessment import assessment_report
from readfirst.results.concepts import Code, read_code
from readfirst.results.heat_maps import heat_map_label, labelled, presentation_state
from readfirst.results.key_objects import key_objects
from readfirst.results.references import report_reference
from readfirst.results.report import structured_report
from readfirst.results.uids import series_uid, tracking_uid
from readfirst.results.values import DICOM_KINDS, AiResult, Algorithm, Assessment, ResultKind
from readfirst.results.words import NOT_FLAGGED
from tests.support.results import (
    ADULT,
    DISAGREE,
    MAKERS,
    a_heat_map,
    a_result,
    a_source,
    a_study,
    a_verdict,
    an_image_result,
)

KINDS = pytest.mark.parametrize("kind", DICOM_KINDS)
#: (272519000, SCT, Absent), and all other ways in which PS3.16 says that there is nothing.
ABSENT = ("272519000", "R-4089B", "111242", "111244")


def file_of(dataset: Dataset) -> bytes:
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def read_back(dataset: Dataset) -> Dataset:
    return dcmread(io.BytesIO(file_of(dataset)))


def texts_of(dataset: Dataset) -> str:
    """All values of an object, of its sequences too."""
    return "\n".join(str(element.value) for element in dataset.iterall() if element.VR != "SQ")


@KINDS
def test_the_same_twice_is_the_same_file(kind: ResultKind) -> None:
    assert file_of(MAKERS[kind](a_result())) == file_of(MAKERS[kind](a_result()))


@pytest.mark.parametrize("kind", [ResultKind.SR, ResultKind.GSPS])
@pytest.mark.parametrize(
    "changed",
    [
        {"algorithm": Algorithm(version="2.1")},
        {"images": (an_image_result(probability=0.91),)},
        {"images": (an_image_result(threshold=0.6),)},
        {"images": (an_image_result(marks=(ADULT,)),)},
        {"images": (an_image_result(), an_image_result(2))},
        {"finding": (Code("J18.9", "Pneumonia, unspecified organism", "I10"),)},
        {"study": a_study(study_instance_uid="1.2.826.2")},
    ],
)
def test_what_says_something_else_is_another_instance(
    kind: ResultKind, changed: dict[str, Any]
) -> None:
    first, second = (MAKERS[kind](result) for result in (a_result(), a_result(**changed)))
    assert first.SOPInstanceUID != second.SOPInstanceUID
    assert (first.SeriesInstanceUID == second.SeriesInstanceUID) == ("study" not in changed)


@KINDS
def test_a_corrected_patient_makes_no_other_instance(kind: ResultKind) -> None:
    corrected = a_result(study=a_study(patient_name="Ejemplo^Lucía"))
    assert MAKERS[kind](corrected).SOPInstanceUID == MAKERS[kind](a_result()).SOPInstanceUID


def test_kinds_and_series_are_apart() -> None:
    objects = [MAKERS[kind](a_result()) for kind in DICOM_KINDS]
    for keyword in ("SOPInstanceUID", "SeriesInstanceUID", "SeriesNumber", "SeriesDescription"):
        assert len({str(dataset[keyword].value) for dataset in objects}) == len(DICOM_KINDS), (
            keyword
        )
    assert [dataset.SOPClassUID for dataset in objects] == [
        ComprehensiveSRStorage,
        KeyObjectSelectionDocumentStorage,
        SecondaryCaptureImageStorage,
        GrayscaleSoftcopyPresentationStateStorage,
        ComprehensiveSRStorage,
    ]
    assert objects[0].SeriesInstanceUID == series_uid(ResultKind.SR, "1.2.826.1")


@KINDS
def test_patient_and_study_are_those_of_the_films(kind: ResultKind) -> None:
    dataset = read_back(MAKERS[kind](a_result(study=a_study(utc_offset="+0100"))))
    assert (str(dataset.PatientName), dataset.PatientID) == ("Ejemplo^Lucia", "P-1")
    assert (dataset.PatientBirthDate, dataset.PatientSex) == ("20220314", "F")
    assert (dataset.StudyInstanceUID, dataset.StudyID) == ("1.2.826.1", "7")
    assert (dataset.StudyDate, dataset.StudyTime) == ("20260301", "080000")
    assert (dataset.AccessionNumber, dataset.TimezoneOffsetFromUTC) == ("A-1", "+0100")
    assert dataset.InstanceCreationDate == "20260301"
    assert dataset.SoftwareVersions == "2.0"


@pytest.mark.parametrize(
    "name",
    [
        "Yamada^Tarou=山田^太郎=やまだ^たろう",
        "Hong^Gildong=洪^吉洞=홍^길동",
        "Иванов^Пётр",
        "علي^أحمد",
        "Παπαδόπουλος^Γιώργος",
        "משה^כהן",
        "李^小龍",
        "Łęcka^Żaneta^^^",
        "नेहा^शर्मा",
        "Roe",
        "^^^^",
        "Nguyễn^Văn A=阮",
    ],
)
def test_a_name_of_any_alphabet_comes_back(name: str) -> None:
    dataset = read_back(key_objects(a_result(study=a_study(patient_name=name))))
    assert str(dataset.PatientName).rstrip("^") == name.rstrip("^")
    assert dataset.SpecificCharacterSet == "ISO_IR 192"


@KINDS
def test_a_film_that_says_nothing_of_its_patient_stops_no_result(kind: ResultKind) -> None:
    study = a_study(
        **dict.fromkeys(
            (
                "study_id", "study_datetime", "accession_number", "study_description",
                "referring_physician_name", "patient_id", "patient_name", "patient_birth_date",
                "patient_sex",
            )
        ),
        orders=(),
    )  # fmt: skip
    dataset = read_back(MAKERS[kind](a_result(study=study)))
    assert not dataset.PatientName
    assert "IssuerOfPatientID" not in dataset
    assert "ReferencedRequestSequence" not in dataset


@KINDS
def test_odd_and_long_values_are_cut_or_left_out_but_never_an_identifier(kind: ResultKind) -> None:
    study = a_study(
        patient_sex="female",
        patient_id="P" * 70,
        study_description="Chest \\ AP " * 20,
        patient_name="N" * 80 + "^Lucia",
        study_id="0123456789abcdefXYZ",
    )
    dataset = MAKERS[kind](a_result(study=study))
    assert not dataset.PatientSex
    assert dataset.PatientID == "P" * 70
    assert len(dataset.StudyDescription) <= 64
    assert len(str(dataset.PatientName)) == 64
    assert dataset.StudyID == "0123456789abcdef"


@KINDS
def test_no_name_is_logged(kind: ResultKind, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        MAKERS[kind](a_result(study=a_study(patient_name="=^Secret=^=", patient_id="Secret-7")))
    assert "Secret" not in caplog.text


@pytest.mark.parametrize("kind", [kind for kind in DICOM_KINDS if kind is not ResultKind.GSPS])
def test_a_class_that_no_library_knows_is_referred_to(kind: ResultKind) -> None:
    film = an_image_result(image=a_source(sop_class_uid="1.2.826.0.1.9999.1"))
    assert "1.2.826.0.1.9999.1" in texts_of(MAKERS[kind](a_result(images=(film,))))


@KINDS
def test_each_says_that_it_is_research_and_no_medical_device(kind: ResultKind) -> None:
    assert DISCLAIMER in texts_of(MAKERS[kind](a_result()))


@KINDS
@pytest.mark.parametrize("probability", [0.001, 0.9])
def test_nothing_is_ever_absent(kind: ResultKind, probability: float) -> None:
    result = a_result(images=(an_image_result(), an_image_result(2, probability)))
    values = texts_of(MAKERS[kind](result)).splitlines()
    assert not set(values) & set(ABSENT)
    assert not any("absent" in value.lower() for value in values)


def report_of(result: AiResult) -> ComprehensiveSR:
    """As highdicom reads it back."""
    return ComprehensiveSR.from_dataset(read_back(structured_report(result)))


def groups_of(report: ComprehensiveSR) -> list[MeasurementsAndQualitativeEvaluations]:
    return cast(MeasurementReport, report.content).get_image_measurement_groups()


def test_a_report_is_a_preliminary_measurement_report() -> None:
    report = report_of(a_result())
    assert (report.CompletionFlag, report.VerificationFlag) == ("COMPLETE", "UNVERIFIED")
    assert report.PreliminaryFlag == "PRELIMINARY"
    assert report.ContentTemplateSequence[0].TemplateIdentifier == "1500"
    assert (str(report.ContentDate), str(report.ContentTime)) == ("20260301", "080500")
    assert report.ReferencedRequestSequence[0].RequestedProcedureID == "RP-1"
    assert report.ReferencedRequestSequence[0].PlacerOrderNumberImagingServiceRequest == "O-1"
    (evidence,) = report.CurrentRequestedProcedureEvidenceSequence
    assert evidence.StudyInstanceUID == "1.2.826.1"


def test_a_group_says_which_film_which_algorithm_and_how_probable() -> None:
    images = (an_image_result(1, 0.93), an_image_result(2, 0.12, marks=(ADULT,)))
    groups = groups_of(report_of(a_result(images=images)))
    for group, image in zip(groups, images, strict=True):
        uid = image.image.sop_instance_uid
        assert group.tracking_uid == tracking_uid("1.2.826.1", uid)
        assert group.finding_type is not None
        assert group.finding_type.value == "RID5350"
        (probability,) = group.get_measurements(codes.DCM.Probability)
        assert probability.value == image.probability
        assert probability.unit.value == "1"
        text = texts_of(group[0])
        for each in (uid, "2.0", "threshold = 0.5", "prevalence = 0.2", "ab" * 32, "123110"):
            assert each in text
    flagged, other = groups
    assert "52101004" in texts_of(flagged[0])
    assert "52101004" not in texts_of(other[0])
    assert NOT_FLAGGED in texts_of(other[0])
    assert NOT_FLAGGED not in texts_of(flagged[0])
    assert ADULT[1] in texts_of(other[0])
    assert "NOT_VALIDATED" in texts_of(other[0])


def test_a_group_says_that_the_networks_disagree_and_not_that_it_is_not_validated() -> None:
    (group,) = groups_of(report_of(a_result(images=(an_image_result(marks=(DISAGREE,)),))))
    assert "IN_DOUBT" in texts_of(group[0])
    assert f"In doubt: {DISAGREE[1]}" in texts_of(group[0])
    assert "NOT_VALIDATED" not in texts_of(group[0])
    document = key_objects(a_result(images=(an_image_result(marks=(DISAGREE,)),)))
    assert "The networks disagree about such a film." in texts_of(document)


def test_the_finding_has_the_codes_that_a_site_chose() -> None:
    (group,) = groups_of(report_of(a_result()))
    finding = group.finding_type
    assert finding is not None
    assert (finding.value, finding.scheme_designator) == ("RID5350", "RADLEX")
    assert finding.EquivalentCodeSequence[0].CodeValue == "233604007"
    only = a_result(finding=(read_code("J18.9^Pneumonia, unspecified organism^I10"),))
    (group,) = groups_of(report_of(only))
    assert group.finding_type is not None
    assert "EquivalentCodeSequence" not in group.finding_type


@pytest.mark.parametrize(
    "text", ["", "RID5350", "RID5350^pneumonia", "^pneumonia^RADLEX", "a^b^c^d", "x" * 17 + "^a^b"]
)
def test_what_is_no_code_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no code"):
        read_code(text)


def test_a_new_version_takes_the_place_of_the_report_before() -> None:
    before = a_result(algorithm=Algorithm(version="1.0"))
    after = report_of(a_result(predecessor=report_reference(before), number=2))
    (study,) = after.PredecessorDocumentsSequence
    (series,) = study.ReferencedSeriesSequence
    (document,) = series.ReferencedSOPSequence
    assert document.ReferencedSOPInstanceUID == structured_report(before).SOPInstanceUID
    assert after.InstanceNumber == 2
    assert after.SOPInstanceUID == structured_report(a_result()).SOPInstanceUID


def test_the_flag_points_at_the_flagged_films_the_most_suspicious_first() -> None:
    films = (an_image_result(1, 0.6), an_image_result(2, 0.1), an_image_result(3, 0.95))
    selection = KeyObjectSelectionDocument.from_dataset(
        read_back(key_objects(a_result(images=films)))
    )
    assert selection.ConceptNameCodeSequence[0].CodeValue == "113000"
    references = selection.content.get_references()
    uids = [each.referenced_sop_instance_uid for each in references]
    assert uids == ["1.2.826.1.1.3", "1.2.826.1.1.1"]


def test_there_is_no_flag_where_nothing_is_flagged() -> None:
    with pytest.raises(ValueError, match="no film of the study is flagged"):
        key_objects(a_result(images=(an_image_result(1, 0.1),)))


@pytest.mark.parametrize("assessment", Assessment)
def test_a_verdict_refers_to_the_report_of_the_ai(assessment: Assessment) -> None:
    result = a_result()
    earlier = report_reference(a_result(algorithm=Algorithm(version="0.9")))
    dataset = assessment_report(result, a_verdict(assessment=assessment, predecessor=earlier))
    report = ComprehensiveSR.from_dataset(read_back(dataset))
    uids = {
        item.ReferencedSOPInstanceUID
        for study in report.PredecessorDocumentsSequence
        for series in study.ReferencedSeriesSequence
        for item in series.ReferencedSOPSequence
    }
    ai_report = structured_report(result).SOPInstanceUID
    assert uids == {ai_report, earlier.sop_instance_uid}
    (group,) = groups_of(report)
    assert group.tracking_uid == tracking_uid("1.2.826.1", "1.2.826.1.1.1")
    text = texts_of(group[0])
    assert assessment.name in text
    assert ai_report in text
    assert "reader.one" in texts_of(report)


def test_a_verdict_of_nobody_in_particular_says_so() -> None:
    assert "not recorded" in texts_of(assessment_report(a_result(), a_verdict(by=None)))


def test_a_heat_map_leaves_the_film_uncovered_and_says_what_it_is() -> None:
    picture = np.full((80, 60, 3), 7, dtype=np.uint8)
    whole = labelled(picture, heat_map_label(a_result(), a_heat_map()))
    assert whole.shape[0] > 80
    assert np.array_equal(whole[-80:], picture)
    assert whole[:-80].max() > 250
    capture = MAKERS[ResultKind.SC](a_result())
    assert list(capture.ImageType) == ["DERIVED", "SECONDARY"]
    assert capture.BurnedInAnnotation == "YES"
    assert "Not for diagnosis" in capture.ImageComments
    (source,) = capture.SourceImageSequence
    assert source.ReferencedSOPInstanceUID == "1.2.826.1.1.1"


@pytest.mark.parametrize(("laterality", "written"), [("L", "L"), (None, None)])
def test_orientation_and_laterality_are_those_of_the_film(
    laterality: str | None, written: str | None
) -> None:
    film = a_source(laterality=laterality, patient_orientation=("L", "F") if laterality else ())
    result = a_result(images=(an_image_result(image=film),))
    capture = read_back(MAKERS[ResultKind.SC](result))
    assert (capture.Laterality or None) == written
    assert list(capture.PatientOrientation or ()) == list(film.patient_orientation)


@pytest.mark.parametrize(
    ("photometric", "shape"), [("MONOCHROME1", "INVERSE"), ("MONOCHROME2", "IDENTITY")]
)
def test_outlines_leave_the_film_as_it_is_shown(photometric: str, shape: str) -> None:
    heat = a_heat_map(
        PhotometricInterpretation=photometric,
        RescaleSlope=2,
        RescaleIntercept=-5,
        RescaleType="US",
        WindowCenter=300,
        WindowWidth=700,
    )
    state = presentation_state(a_result(), heat)
    assert state.PresentationLUTShape == shape
    assert (state.RescaleSlope, state.RescaleIntercept) == (2, -5)
    (voi,) = state.SoftcopyVOILUTSequence
    assert (voi.WindowCenter, voi.WindowWidth) == (300, 700)
    (annotation,) = state.GraphicAnnotationSequence
    (line,) = annotation.GraphicObjectSequence
    assert line.GraphicType == "POLYLINE"
    assert line.GraphicData[:2] == line.GraphicData[-2:], "it is closed"
    assert "Not for diagnosis" in annotation.TextObjectSequence[0].UnformattedTextValue
    assert annotation.GraphicLayer == "AI"


def test_outlines_stay_within_the_film() -> None:
    heat = replace(a_heat_map(), outlines=(np.array([[-5.0, -5.0], [900.0, 0.0], [9.0, 900.0]]),))
    state = presentation_state(a_result(), heat)
    data = state.GraphicAnnotationSequence[0].GraphicObjectSequence[0].GraphicData
    assert (min(data), max(data[::2]), max(data[1::2])) == (0, 100, 120)
    with pytest.raises(ValueError, match="no hot region"):
        presentation_state(a_result(), replace(a_heat_map(), outlines=()))


@pytest.mark.parametrize("photometric", [None, "RGB"])
def test_outlines_are_not_laid_over_a_film_that_is_shown_nobody_knows_how(
    photometric: str | None,
) -> None:
    with pytest.raises(ValueError, match="no single grey value"):
        presentation_state(a_result(), a_heat_map(PhotometricInterpretation=photometric))
    odd = a_source(sop_class_uid="1.2.826.0.1.9999.1")
    with pytest.raises(ValueError, match="no radiograph"):
        presentation_state(a_result(), a_heat_map(odd))


def test_a_film_of_another_class_has_its_results_too() -> None:
    film = a_source(sop_class_uid=DigitalXRayImageStorageForPresentation)
    result = a_result(images=(an_image_result(image=film),), at=datetime(2026, 3, 1, 23, 59))
    for make in MAKERS.values():
        assert DigitalXRayImageStorageForPresentation in texts_of(make(result))
