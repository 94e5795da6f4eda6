"""Changes of ensembles and of their thresholds, each with its line in the audit log.

They are the same for page, API and terminal. The caller owns the transaction.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Session

from db.access.audit import Actor, AuditAction, note
from db.ensembles.shadows import begin_shadow, end_shadow
from db.ensembles.thresholds import NewThreshold, activate_new, activate_previous
from db.ensembles.versions import (
    active_ensemble,
    previous_ensemble,
    promote,
    required_active,
    retire,
)
from db.nights.running import close_night, running_night
from db.tables import EnsembleVersion, Threshold
from readfirst.errors import Misconfigured
from readfirst.language.texts import gettext
from readfirst.nights.reasons import NightEnd


class EnsembleChange(StrEnum):
    """The changes of the ensembles of a site."""

    PROMOTE = "promote"
    ROLL_BACK = "roll_back"
    RETIRE = "retire"
    #: Let a candidate score beside the active one, and let it do so no more.
    SHADOW = "shadow"
    END_SHADOW = "end_shadow"
    #: Score now what the active ensemble has not seen, behind all live films.
    RESCORE = "rescore"
    #: Give no more to the workers in the night that runs.
    STOP_NIGHT = "stop_night"


NOTED = {
    EnsembleChange.PROMOTE: AuditAction.ENSEMBLE_PROMOTED,
    EnsembleChange.ROLL_BACK: AuditAction.ENSEMBLE_ROLLED_BACK,
    EnsembleChange.RETIRE: AuditAction.ENSEMBLE_RETIRED,
    EnsembleChange.SHADOW: AuditAction.SHADOW_BEGUN,
    EnsembleChange.END_SHADOW: AuditAction.SHADOW_ENDED,
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

    version: of all but a roll-back and a re-scoring. Raises Misconfigured if it cannot be.
    """
    before = active_ensemble(session)
    row = _changed(session, change, version, at)
    detail = {"ensemble": row.version, "before": before.version if before else None, **detail}
    note(session, actor, NOTED[change], at, **detail)
    return row


def _changed(
    session: Session,
    change: EnsembleChange,
    version: str | None,
    at: datetime,
) -> EnsembleVersion:
    if change is EnsembleChange.ROLL_BACK:
        return promote(session, previous_ensemble(session).version, at)
    if change is EnsembleChange.STOP_NIGHT:
        _stop_night(session)
    if change in (EnsembleChange.RESCORE, EnsembleChange.STOP_NIGHT):
        return required_active(session)
    if not version:
        raise Misconfigured(gettext("Name the version of the ensemble."))
    if change is EnsembleChange.SHADOW:
        return begin_shadow(session, version, at)
    if change is EnsembleChange.END_SHADOW:
        return end_shadow(session, version)
    return (promote if change is EnsembleChange.PROMOTE else retire)(session, version, at)


def _stop_night(session: Session) -> None:
    night = running_night(session, lock=True)
    if night is None or night.closed_because is not None:
        raise Misconfigured(gettext("No night runs now: there is nothing to stop."))
    close_night(night, NightEnd.STOPPED)


def change_threshold(
    session: Session, actor: Actor, new: NewThreshold, at: datetime, **detail: Any
) -> Threshold:
    """Let an ensemble have another threshold. Studies rank by it as the life cycle takes it up.

    Raises Misconfigured for an unknown ensemble, and for the value that is active already.
    """
    row = activate_new(session, new, at)
    _note_threshold(session, actor, AuditAction.THRESHOLD_CHANGED, row, at, detail)
    return row


def roll_back_threshold(
    session: Session, actor: Actor, ensemble_version: str, at: datetime, **detail: Any
) -> Threshold:
    """Go back to the threshold that an ensemble had before. Raises Misconfigured if none was."""
    row = activate_previous(session, ensemble_version, at)
    _note_threshold(session, actor, AuditAction.THRESHOLD_ROLLED_BACK, row, at, detail)
    return row


def _note_threshold(
    session: Session,
    actor: Actor,
    action: AuditAction,
    row: Threshold,
    at: datetime,
    detail: dict[str, Any],
) -> None:
    detail = {
        "ensemble": row.ensemble_version,
        "threshold_version": row.version,
        "threshold": row.value,
        "method": row.method.value,
        **detail,
    }
    note(session, actor, action, at, **detail)
