"""FHIR R4: what a transaction says and never says, as fhir.resources reads it, beside the SR."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle
from hypothesis import given
from hypothesis import strategies as st

from readfirst import DISCLAIMER
from readfirst.results.concepts import Code
from readfirst.results.fhir.bundle import FhirBundle, transaction_bundle
from readfirst.results.hl7.check import sample_result
from readfirst.results.report import structured_report
from readfirst.results.uids import tracking_uid
from readfirst.results.values import AiResult, Algorithm
from readfirst.results.words import NOT_FLAGGED, comments
from tests.support.results import ADULT, DISAGREE, a_result, a_study, an_image_result

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "fhir.md"
Json = dict[str, Any]


def valid(bundle: FhirBundle) -> Json:
    """The bundle as fhir.resources reads it and writes it again, which leaves nothing out."""
    read = Bundle.model_validate_json(bundle.content)
    written: Json = json.loads(bundle.content)
    assert json.loads(read.model_dump_json(exclude_none=True)).keys() == written.keys()
    return written


def resources(result: AiResult, kind: str) -> list[Json]:
    entries = valid(transaction_bundle(result))["entry"]
    every = (entry["resource"] for entry in entries)
    return [resource for resource in every if resource["resourceType"] == kind]


def codes_of(value: object) -> set[str]:
    """Every code within."""
    if isinstance(value, list):
        return {code for each in value for code in codes_of(each)}
    if not isinstance(value, dict):
        return set()
    inner = {code for each in value.values() for code in codes_of(each)}
    return inner | ({value["code"]} if isinstance(value.get("code"), str) else set())


def texts_in(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for each in inner for text in texts_in(each)]


def test_a_flagged_film_is_present_and_preliminary() -> None:
    (seen,) = resources(a_result(), "Observation")
    assert seen["status"] == "preliminary"
    assert seen["valueCodeableConcept"]["coding"][0]["code"] == "52101004"
    assert seen["interpretation"][0]["coding"][0]["code"] == "A"
    assert [each["code"] for each in seen["code"]["coding"]] == ["RID5350", "233604007"]
    assert seen["identifier"][0]["value"].endswith(tracking_uid("1.2.826.1", "1.2.826.1.1.1"))
    assert seen["subject"]["identifier"]["value"] == "P-1"
    probability = seen["component"][0]
    assert probability["valueQuantity"]["value"] == 0.9
    texts = [each.get("valueString") for each in seen["component"]]
    assert {"threshold = 0.5", "prevalence = 0.2", "urn:oid:1.2.826.1.1.1"} <= set(texts)
    assert [each["text"] for each in seen["note"]] == comments(a_result().images[0])
    (report,) = resources(a_result(), "DiagnosticReport")
    assert report["status"] == "preliminary"
    assert report["conclusionCode"] == [seen["code"]]
    assert DISCLAIMER in report["conclusion"]


def test_what_is_not_flagged_has_no_value_and_is_never_absent() -> None:
    result = a_result(images=(an_image_result(probability=0.1),))
    (seen,) = resources(result, "Observation")
    (report,) = resources(result, "DiagnosticReport")
    for name in ("valueCodeableConcept", "interpretation", "dataAbsentReason"):
        assert name not in seen
    assert "conclusionCode" not in report
    assert NOT_FLAGGED in report["conclusion"]
    text = transaction_bundle(result).content.decode()
    for word in ("52101004", "272519000", "bsent", '"N"', "ormal"):
        assert word not in text


def test_it_says_by_the_same_codes_what_the_report_says() -> None:
    marked = an_image_result(2, 0.2, marks=(ADULT,))
    result = a_result(images=(an_image_result(), marked))
    report = structured_report(result)
    items = [each for each in report.iterall() if each.keyword == "CodeValue"]
    of_report = {str(each.value) for each in items}
    own = {"18748-4", "MR", "ACSN", "RAD", "imaging", "A", "1"}
    of_bundle = codes_of(transaction_bundle(result).resource)
    assert of_bundle - own <= of_report
    assert {"122157", "111002", "123110", "39607008", "52101004", "NOT_VALIDATED"} <= of_bundle


def test_networks_that_disagree_are_told_by_the_codes_of_the_report() -> None:
    doubtful = a_result(images=(an_image_result(1, 0.2, marks=(DISAGREE,)),))
    of_bundle = codes_of(transaction_bundle(doubtful).resource)
    assert "IN_DOUBT" in of_bundle
    assert "NOT_VALIDATED" not in of_bundle
    assert f"In doubt: {DISAGREE[1]}" in transaction_bundle(doubtful).content.decode()


def test_each_film_is_an_observation_of_one_report_and_one_device() -> None:
    result = a_result(images=(an_image_result(1, 0.2), an_image_result(2, 0.97)))
    bundle = valid(transaction_bundle(result))
    urls = {entry["fullUrl"]: entry["resource"] for entry in bundle["entry"]}
    (report,) = resources(result, "DiagnosticReport")
    references = [each["reference"] for each in report["result"]]
    assert [urls[each]["resourceType"] for each in references] == ["Observation"] * 2
    assert urls[report["imagingStudy"][0]["reference"]]["resourceType"] == "ImagingStudy"
    for reference in references:
        assert urls[urls[reference]["device"]["reference"]]["version"] == [{"value": "2.0"}]
        assert urls[urls[reference]["partOf"][0]["reference"]]["resourceType"] == "ImagingStudy"
    assert "97 %" in report["conclusion"]


def test_twice_is_once_and_a_newer_version_takes_its_place() -> None:
    before, again = transaction_bundle(a_result()), transaction_bundle(a_result())
    assert before.content == again.content
    after = transaction_bundle(a_result(algorithm=Algorithm(version="2.1")))
    assert after.identifier != before.identifier

    def requests(bundle: FhirBundle) -> dict[str, Json]:
        return {
            entry["resource"]["resourceType"]: entry["request"]
            for entry in bundle.resource["entry"]
        }

    for kind in ("Observation", "DiagnosticReport"):
        request = requests(before)[kind]
        assert request["method"] == "PUT"
        assert request["url"].startswith(f"{kind}?identifier=urn:dicom:uid|urn:oid:2.25.")
        assert request == requests(after)[kind]
    for kind in ("Device", "ImagingStudy"):
        assert requests(before)[kind]["method"] == "POST"
        assert requests(before)[kind]["ifNoneExist"].startswith("identifier=urn:dicom:uid|urn:oid:")
    assert requests(before)["Device"] != requests(after)["Device"]
    assert requests(before)["ImagingStudy"] == requests(after)["ImagingStudy"]
    assert all("id" not in entry["resource"] for entry in before.resource["entry"])


@pytest.mark.parametrize(
    ("offset", "started"), [(None, "2026-03-01"), ("+0930", "2026-03-01T08:00:00+09:30")]
)
def test_a_time_without_an_offset_is_a_day(offset: str | None, started: str) -> None:
    (study,) = resources(a_result(study=a_study(utc_offset=offset)), "ImagingStudy")
    assert study["started"] == started
    (seen,) = resources(a_result(), "Observation")
    assert datetime.fromisoformat(seen["issued"]) == datetime(2026, 3, 1, 8, 5, tzinfo=UTC)


def test_a_film_that_says_little_is_valid() -> None:
    nothing = dict.fromkeys(
        ("study_datetime", "accession_number", "study_description", "patient_name", "patient_sex")
    )
    (study,) = resources(a_result(study=a_study(**nothing, orders=())), "ImagingStudy")
    assert set(study) == {"resourceType", "identifier", "status", "subject"}


def test_no_name_no_birth_date_and_no_sex_leave() -> None:
    text = transaction_bundle(a_result()).content.decode()
    for value in ("Ejemplo", "Lucia", "2022", "Invented"):
        assert value not in text


def test_a_code_of_a_scheme_that_fhir_does_not_know_has_no_system() -> None:
    result = a_result(finding=(Code("77", "pneumonia", "99SITE"),))
    (seen,) = resources(result, "Observation")
    assert seen["code"]["coding"] == [{"code": "77", "display": "pneumonia"}]


@given(st.text(max_size=60), st.floats(0, 1), st.booleans())
def test_it_is_valid_whatever_a_film_says(text: str, probability: float, flagged: bool) -> None:
    study = a_study(
        patient_id=f"P{text}", accession_number=text, study_description=text,
        issuer_of_patient_id=text,
    )  # fmt: skip
    image = an_image_result(probability=probability, flagged=flagged)
    bundle = valid(transaction_bundle(a_result(study=study, images=(image,))))
    for value in texts_in(bundle):
        assert value.strip() == value != ""


def test_the_page_has_the_observation_as_it_is_made() -> None:
    (example,) = re.findall(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert json.loads(example) == resources(sample_result(flagged=True), "Observation")[0]
