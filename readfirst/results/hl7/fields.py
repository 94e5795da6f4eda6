"""Names that a template of a site may use, and their values of a result. Pure."""

from dataclasses import dataclass

from markupsafe import Markup

from readfirst.results.hl7.encoding import (
    UNKNOWN_NAME,
    coded_with_alternate,
    components,
    day,
    person_name,
    time_stamp,
)
from readfirst.results.values import AiResult, ImageResult, OrderReference, ResultStudy
from readfirst.results.words import algorithm_parameters, comments
from readfirst.studies.marks import Validity

#: Table 0001; what else a header says of the sex is left out.
SEXES = ("M", "F", "O")


@dataclass(frozen=True, slots=True)
class MessageHeader:
    """Who sends to whom: MSH-3 to MSH-6."""

    sending_application: str = "READFIRST"
    sending_facility: str = ""
    receiving_application: str = ""
    receiving_facility: str = ""


@dataclass(frozen=True, slots=True)
class MessageFields:
    """control_id: MSH-10. time: of the score, with the offset from UTC where it is known."""

    control_id: str
    time: Markup


@dataclass(frozen=True, slots=True)
class PatientFields:
    """The patient of the films. identifier: a CX; name: an XPN; birth_date: `20220314`."""

    id: str
    issuer: str
    identifier: Markup
    name: Markup
    birth_date: Markup
    sex: str


@dataclass(frozen=True, slots=True)
class OrderFields:
    """The order that the films name. filler_number: the accession number where they name none."""

    placer_number: str
    filler_number: str
    procedure_id: str
    procedure_description: str


@dataclass(frozen=True, slots=True)
class StudyFields:
    """The study. uid: Study Instance UID. time: as `MessageFields.time`."""

    uid: str
    id: str
    accession_number: str
    description: str
    referring_physician: Markup
    time: Markup


@dataclass(frozen=True, slots=True)
class FilmFields:
    """The score of one film. number: from 1. probability, threshold: of up to six digits.

    parameters: `threshold = 0.5`, `prevalence = 0.2`. comments: the sentences of the report.
    """

    number: int
    uid: str
    probability: str
    threshold: str
    flagged: bool
    validated: bool
    in_doubt: bool
    parameters: tuple[str, ...]
    comments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ResultFields:
    """The result. version: of the ensemble. finding: a CWE of what is looked for."""

    version: str
    flagged: bool
    validated: bool
    finding: Markup
    time: Markup
    films: tuple[FilmFields, ...]


def template_fields(result: AiResult, header: MessageHeader, control_id: str) -> dict[str, object]:
    """Return the values of a result by the names that a template has for them."""
    study = result.study
    films = tuple(_film(result, n, image) for n, image in enumerate(result.images, start=1))
    at = time_stamp(result.at, study.utc_offset)
    return {
        "header": header,
        "message": MessageFields(control_id, at),
        "patient": _patient(study),
        "order": _order(study),
        "study": _study(study),
        "result": ResultFields(
            version=result.algorithm.version,
            flagged=bool(result.flagged),
            validated=all(film.validated for film in films),
            finding=coded_with_alternate(result.finding),
            time=at,
            films=films,
        ),
    }


def _patient(study: ResultStudy) -> PatientFields:
    return PatientFields(
        id=study.patient_id or "",
        issuer=study.issuer_of_patient_id or "",
        identifier=components(study.patient_id, "", "", study.issuer_of_patient_id, "MR"),
        name=person_name(study.patient_name) or UNKNOWN_NAME,
        birth_date=day(study.patient_birth_date),
        sex=study.patient_sex if study.patient_sex in SEXES else "",
    )


def _order(study: ResultStudy) -> OrderFields:
    order = study.orders[0] if study.orders else OrderReference()
    return OrderFields(
        placer_number=order.placer_order_number or "",
        filler_number=order.filler_order_number or study.accession_number or "",
        procedure_id=order.requested_procedure_id or "",
        procedure_description=order.requested_procedure_description or "",
    )


def _study(study: ResultStudy) -> StudyFields:
    return StudyFields(
        uid=study.study_instance_uid,
        id=study.study_id or "",
        accession_number=study.accession_number or "",
        description=study.study_description or "",
        referring_physician=person_name(study.referring_physician_name),
        time=time_stamp(study.study_datetime, study.utc_offset),
    )


def _film(result: AiResult, number: int, image: ImageResult) -> FilmFields:
    return FilmFields(
        number=number,
        uid=image.image.sop_instance_uid,
        probability=f"{image.probability:.6f}".rstrip("0").rstrip("."),
        threshold=f"{image.threshold:.6f}".rstrip("0").rstrip("."),
        flagged=image.flagged,
        validated=image.validity is not Validity.NOT_VALIDATED,
        in_doubt=image.validity is Validity.IN_DOUBT,
        parameters=tuple(algorithm_parameters(result.algorithm, image)),
        comments=tuple(comments(image)),
    )
