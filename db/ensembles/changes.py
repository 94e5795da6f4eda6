"""Changes of ensembles, each with its line in the audit log: the same for page, API and terminal.

The caller owns the transaction.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Session

from db.access.audit import Actor, AuditAction, note
from db.ensembles.versions import active_ensemble, previous_ensemble, promote, retire
from db.nights.running import close_night, running_night
from db.tables import EnsembleVersion
from readfirst.errors import Misconfigured
from readfirst.nights.reasons import NightEnd


class EnsembleChange(StrEnum):
    """The changes of the ensembles of a site."""

    PROMOTE = "promote"
    ROLL_BACK = "roll_back"
    RETIRE = "retire"
    #: Score now what the active ensemble has not seen, behind all live films.
    RESCORE = "rescore"
    #: Give no more to the workers in the night that runs.
    STOP_NIGHT = "stop_night"


NOTED = {
    EnsembleChange.PROMOTE: AuditAction.ENSEMBLE_PROMOTED,
    EnsembleChange.ROLL_BACK: AuditAction.ENSEMBLE_ROLLED_BACK,
    EnsembleChange.RETIRE: AuditAction.ENSEMBLE_RETIRED,
    EnsembleChange.RESCORE: AuditAction.RESCORING_WANTED,
    EnsembleChange.STOP_NIGHT: AuditAction.NIGHT_STOPPED,
}


def change_ensemble(
    session: Session,
    actor: Actor,
    change: EnsembleChange,
    at: datetime,
    version: str | None = None,
    **detail: Any,
) -> EnsembleVersion:
    """Change an ensemble. Returns the one that is promoted, active again, retired, or to score.

    version: of one to be promoted or retired. Raises Misconfigured if it cannot be.
    """
    before = active_ensemble(session)
    row = _changed(session, change, version, before, at)
    detail = {"ensemble": row.version, "before": before.version if before else None, **detail}
    note(session, actor, NOTED[change], at, **detail)
    return row


def _changed(
    session: Session,
    change: EnsembleChange,
    version: str | None,
    active: EnsembleVersion | None,
    at: datetime,
) -> EnsembleVersion:
    if change is EnsembleChange.ROLL_BACK:
        return promote(session, previous_ensemble(session).version, at)
    if change is EnsembleChange.STOP_NIGHT:
        _stop_night(session)
    if change in (EnsembleChange.RESCORE, EnsembleChange.STOP_NIGHT):
        if active is None:
            raise Misconfigured("No ensemble is active yet.")
        return active
    if not version:
        raise Misconfigured("Name the version of the ensemble.")
    return (promote if change is EnsembleChange.PROMOTE else retire)(session, version, at)


def _stop_night(session: Session) -> None:
    night = running_night(session, lock=True)
    if night is None or night.closed_because is not None:
        raise Misconfigured("No night runs now: there is nothing to stop.")
    close_night(night, NightEnd.STOPPED)
