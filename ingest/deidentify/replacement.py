"""The new identity of a film, in place of its patient's."""

from dataclasses import dataclass

from ingest.deidentify.boxes import Box


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """The new identity of a film.

    patient: a pseudonym. seed: a secret by which UIDs are made and dates are moved; the same for
    all films of a patient. age: in completed years, already without too high ones; None: unknown.
    The UIDs are the film's own, which the seed changes. masked: boxes to paint over. text_checked:
    its pixels were searched for burned-in text, and none is left.
    """

    patient: str
    seed: str
    age: int | None
    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str
    masked: tuple[Box, ...] = ()
    text_checked: bool = False
