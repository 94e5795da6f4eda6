"""Acceptance: a decision is written in one unit of work, and the file is let go of."""

import structlog

from db.images import NewArrival
from db.inbox.ignored_files import add_ignored_file
from db.lifecycle.arrivals import News, add_copy, add_image, replace_beginning
from db.lifecycle.events import Cause
from db.lifecycle.retries import refused_image, try_again
from db.lifecycle.unit_of_work import UnitOfWork
from db.tables import Image
from ingest.inbox.claim import Claim
from ingest.inbox.release import release
from readfirst.errors import Refused
from readfirst.studies.marks import Mark
from worker.intake.decision import Decision, IntakeAction
from worker.intake.inspection import Inspection
from worker.intake.services import OpenUnitOfWork

log = structlog.get_logger()


def accept(
    claim: Claim,
    arrival: NewArrival,
    inspection: Inspection,
    decision: Decision,
    open_unit_of_work: OpenUnitOfWork,
) -> None:
    """Write what was decided, and then release the claim.

    Raises a database error when another process has committed the same content, UID or study
    meanwhile; the file stays claimed.
    """
    with open_unit_of_work(arrival.arrived_at) as unit:
        _write(unit, arrival, inspection, decision)
    release(claim)
    code = decision.refusal.code.value if decision.refusal else None
    if decision.action is IntakeAction.IGNORE:
        log.info("set_aside", action="take_in", claim=claim.claim_id, code=code)
        return
    log.info(
        "file_taken_in",
        action="take_in",
        claim=claim.claim_id,
        sha256=arrival.sha256,
        outcome=decision.outcome.value,
        code=code,
    )


def _write(
    unit: UnitOfWork, arrival: NewArrival, inspection: Inspection, decision: Decision
) -> None:
    refusal = decision.refusal
    if decision.replaces is not None:
        replace_beginning(unit, decision.replaces, arrival.sha256, Cause.LIVE)
    if decision.action is IntakeAction.IGNORE and refusal is not None:
        add_ignored_file(unit.session, arrival, refusal)
    elif decision.action is IntakeAction.ADD_IMAGE:
        header, identity = inspection.header, inspection.identity
        marks = _marks(inspection, refusal)
        add_image(unit, arrival, identity, header, refusal=refusal, marks=marks)
    elif decision.action in (IntakeAction.ADD_COPY, IntakeAction.RESTORE):
        image = unit.session.get_one(Image, decision.image_id)
        add_copy(unit, arrival, image, _news(arrival, image, inspection))
        if decision.action is IntakeAction.RESTORE:
            _restore(unit, image.id, inspection, refusal)


def _news(arrival: NewArrival, image: Image, inspection: Inspection) -> News | None:
    """Return what a copy may add; the same content says nothing new."""
    same_uid, header = inspection.same_uid, inspection.header
    if arrival.sha256 == image.sha256 or same_uid is None or header is None:
        return None
    return News(header=header, rejudged=same_uid.rejudged)


def _restore(
    unit: UnitOfWork, image_id: int, inspection: Inspection, refusal: Refused | None
) -> None:
    image = refused_image(unit, image_id)
    if image is None:
        # Somebody has tried it again since it was decided.
        return
    header, identity = inspection.header, inspection.identity
    marks = _marks(inspection, refusal)
    try_again(unit, image, identity, header, refusal=refusal, marks=marks)


def _marks(inspection: Inspection, refusal: Refused | None) -> tuple[Mark, ...]:
    """Return the marks of the score to come; what is refused has none."""
    return () if refusal else inspection.marks
