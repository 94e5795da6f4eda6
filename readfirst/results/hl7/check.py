"""Check of a template with invented results, before a real one depends on it. Pure."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime

from readfirst.language.languages import ENGLISH
from readfirst.language.texts import speaking
from readfirst.results.concepts import Code
from readfirst.results.hl7.fields import MessageHeader
from readfirst.results.hl7.oru import OruMessage, OruTemplate, oru_message
from readfirst.results.values import (
    AiResult,
    Algorithm,
    ImageResult,
    OrderReference,
    ResultStudy,
    SourceImage,
)

#: Marks of a score that is not validated.
ADULT = ("adult", "The patient is an adult; the networks were not validated on adults.")


def sample_result(*, flagged: bool) -> AiResult:
    """Return an invented result of two films, one of them not validated."""
    return AiResult(
        study=ResultStudy(
            study_instance_uid="2.25.1",
            study_id="7",
            study_datetime=datetime(2026, 1, 12, 8, 43),
            utc_offset="+0100",
            accession_number="DEMO00009",
            study_description="Chest AP",
            referring_physician_name="Invented^Physician",
            patient_id="DEMO-0009",
            issuer_of_patient_id="HOSP",
            patient_name="Ejemplo^Lucia",
            patient_birth_date=date(2022, 3, 14),
            patient_sex="F",
            orders=(OrderReference(requested_procedure_id="RP-1", placer_order_number="P123"),),
        ),
        algorithm=Algorithm(version="2.0", prevalence=0.2, manifest_sha256="ab" * 32),
        images=(_film(1, 0.97 if flagged else 0.12), _film(2, 0.08, (ADULT,))),
        at=datetime(2026, 1, 12, 8, 44, 30),
        finding=(Code("RID5350", "pneumonia", "RADLEX"),),
    )


def _film(number: int, probability: float, marks: tuple[tuple[str, str], ...] = ()) -> ImageResult:
    return ImageResult(
        image=SourceImage(
            sop_class_uid="1.2.840.10008.5.1.4.1.1.1",
            sop_instance_uid=f"2.25.1.{number}",
            series_instance_uid="2.25.1.0",
            rows=120,
            columns=100,
        ),
        probability=probability,
        threshold=0.5,
        flagged=probability >= 0.5,
        marks=marks,
        scored_at=datetime(2026, 1, 12, 7, 44, 30, tzinfo=UTC),
    )


def _bare(result: AiResult) -> AiResult:
    """Return the result of a study whose films say next to nothing."""
    study = ResultStudy(study_instance_uid="2.25.1", patient_id="DEMO-0009")
    return replace(result, study=study)


def check_template(
    template: OruTemplate, header: MessageHeader | None = None
) -> tuple[OruMessage, ...]:
    """Return the messages of invented results: flagged and not, and of films that say little.

    Raises Misconfigured as `oru_message`.
    """
    forms: tuple[Callable[[AiResult], AiResult], ...] = (lambda result: result, _bare)
    with speaking(ENGLISH):
        return tuple(
            oru_message(form(sample_result(flagged=flagged)), template, header or MessageHeader())
            for flagged in (True, False)
            for form in forms
        )
