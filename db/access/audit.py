"""The audit log: rows that are only ever added. Of patients, study UIDs alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Text, bindparam, cast, insert, or_, select
from sqlalchemy.orm import Session

from db.session import rows_of
from db.tables import Account, AuditEntry, Image, Study
from readfirst.access.roles import Role


class AuditAction(StrEnum):
    """The kinds of entries. Their values are stored: none ever changes."""

    LOGGED_IN = "logged_in"
    LOGIN_FAILED = "login_failed"
    #: Too many failures: the account's name or the address waits from now on.
    LOCKED_OUT = "locked_out"
    LOGGED_OUT = "logged_out"
    #: A session that somebody ended from another browser, or at the command line.
    SESSION_ENDED = "session_ended"
    TOKEN_REFUSED = "token_refused"  # noqa: S105 - an action
    #: Somebody asked for what their role may not.
    DENIED = "denied"
    LIST_VIEWED = "list_viewed"
    STUDY_VIEWED = "study_viewed"
    IMAGE_VIEWED = "image_viewed"
    THUMBNAIL_VIEWED = "thumbnail_viewed"
    #: Events that name studies were streamed.
    EVENTS_FOLLOWED = "events_followed"
    #: The names of files that lie in the inbox.
    INBOX_VIEWED = "inbox_viewed"
    #: Patients' data by a route that says nothing of the log: noted all the same.
    RECORDS_SHOWN = "records_shown"
    ORIGINAL_TAKEN = "original_taken"
    #: DICOM results of a study were made for another system, and written into a folder.
    RESULTS_WRITTEN = "results_written"
    #: Results of a study were sent to another system.
    RESULTS_SENT = "results_sent"
    #: Results that were given up, or sent before, are sent again.
    RESULTS_SENT_AGAIN = "results_sent_again"
    DESTINATION_ADDED = "destination_added"
    DESTINATION_CHANGED = "destination_changed"
    DESTINATION_ENABLED = "destination_enabled"
    DESTINATION_DISABLED = "destination_disabled"
    DESTINATION_REMOVED = "destination_removed"
    #: Somebody tried whether a destination answers.
    DESTINATION_TESTED = "destination_tested"
    #: An archive that films are fetched from.
    SOURCE_ADDED = "source_added"
    SOURCE_CHANGED = "source_changed"
    SOURCE_REMOVED = "source_removed"
    #: Somebody had films fetched from an archive.
    FILMS_FETCHED = "films_fetched"
    HEAT_MAP_WANTED = "heat_map_wanted"
    MONITORING_VIEWED = "watching_viewed"
    #: A page of the administrator.
    ADMIN_VIEWED = "admin_viewed"
    #: A film was read to say what the rules make of it, and was not kept.
    FILM_EXPLAINED = "film_explained"
    #: The audit log itself.
    AUDIT_VIEWED = "audit_viewed"
    #: Somebody has refused images tried again.
    RETRY_WANTED = "retry_wanted"
    UPLOADED = "uploaded"
    VERDICT_GIVEN = "verdict_given"
    VERDICT_WITHDRAWN = "verdict_withdrawn"
    #: Films with verdicts were written out, de-identified.
    VERDICTS_EXPORTED = "verdicts_exported"
    ENSEMBLE_ADDED = "ensemble_added"
    ENSEMBLE_PROMOTED = "ensemble_promoted"
    ENSEMBLE_ROLLED_BACK = "ensemble_rolled_back"
    ENSEMBLE_RETIRED = "ensemble_retired"
    #: An ensemble scores beside the active one, and does so no more.
    SHADOW_BEGUN = "shadow_begun"
    SHADOW_ENDED = "shadow_ended"
    THRESHOLD_CHANGED = "threshold_changed"
    THRESHOLD_ROLLED_BACK = "threshold_rolled_back"
    #: A lead has accepted an ensemble for this site.
    ACCEPTANCE_SIGNED = "acceptance_signed"
    #: Somebody has scored now what the active ensemble has not seen.
    RESCORING_WANTED = "rescoring_wanted"
    NIGHT_STOPPED = "night_stopped"
    PRIOR_READ_ANYWAY = "prior_read_anyway"
    ESCALATION_ACKNOWLEDGED = "escalation_acknowledged"
    #: The RIS corrected a patient's data, or merged two patients; and somebody undid that.
    PATIENT_CORRECTED = "patient_corrected"
    PATIENTS_MERGED = "patients_merged"
    MERGE_UNDONE = "merge_undone"
    #: Somebody had a message of the RIS tried again that could not be read, or removed it.
    MESSAGE_RETRY_WANTED = "message_retry_wanted"
    MESSAGE_REMOVED = "message_removed"
    ACCOUNT_ADDED = "account_added"
    ACCOUNT_DISABLED = "account_disabled"
    ACCOUNT_ENABLED = "account_enabled"
    ACCOUNT_UNLOCKED = "account_unlocked"
    ROLE_SET = "role_set"
    PASSWORD_SET = "password_set"  # noqa: S105 - an action
    TOKEN_MADE = "token_made"  # noqa: S105 - an action
    TOKEN_REVOKED = "token_revoked"  # noqa: S105 - an action


@dataclass(frozen=True, slots=True)
class Actor:
    """The person or program that acts.

    account: None where nobody had to log in. address: None at the command line.
    """

    account: str | None
    address: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRecord:
    """A line of the audit log."""

    at: datetime
    account: str | None
    address: str | None
    action: str
    study_instance_uid: str | None
    detail: dict[str, Any]


_INSERT = insert(AuditEntry.metadata.tables[AuditEntry.__tablename__])


def note(
    session: Session,
    actor: Actor,
    action: AuditAction,
    at: datetime,
    *,
    study_instance_uid: str | None = None,
    **detail: Any,
) -> None:
    """Add a line. detail: plain values, never a patient's data, a password or a token."""
    # Of the table, and not by the session: every answer waits for this line.
    session.connection().execute(
        _INSERT,
        {
            "at": at,
            "account": actor.account,
            "address": actor.address,
            "action": action.value,
            "study_instance_uid": study_instance_uid,
            "detail": detail,
        },
    )


def entries(
    session: Session,
    *,
    limit: int,
    since: datetime | None = None,
    account: str | None = None,
    study_instance_uid: str | None = None,
) -> list[AuditRecord]:
    """The latest lines, the latest first."""
    query = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(limit)
    if since is not None:
        query = query.where(AuditEntry.at >= since)
    if account is not None:
        query = query.where(AuditEntry.account == account)
    if study_instance_uid is not None:
        query = query.where(is_of_study(study_instance_uid))
    return [record_of(entry) for entry in session.scalars(query)]


def record_of(entry: AuditEntry) -> AuditRecord:
    """The record of a row."""
    return AuditRecord(
        at=entry.at,
        account=entry.account,
        address=entry.address,
        action=entry.action,
        study_instance_uid=entry.study_instance_uid,
        detail=entry.detail,
    )


def is_of_study(study_instance_uid: str) -> ColumnElement[bool]:
    """An entry of a study, or of a list with it (`detail`: `{"studies": [UID, …]}`)."""
    listed = cast(AuditEntry.detail, Text).contains(f'"{study_instance_uid}"', autoescape=True)
    return or_(AuditEntry.study_instance_uid == study_instance_uid, listed)


@dataclass(frozen=True, slots=True)
class FirstViewing:
    """The time when a person first opened a study, and who; None where nobody had to log in."""

    at: datetime
    account: str | None


_PROGRAMS = select(Account.name).where(Account.role == Role.SERVICE)
_FIRST_VIEW = (
    select(AuditEntry.at, AuditEntry.account)
    .where(
        AuditEntry.study_instance_uid == bindparam("uid"),
        AuditEntry.action == AuditAction.STUDY_VIEWED,
        or_(AuditEntry.account.is_(None), AuditEntry.account.not_in(_PROGRAMS)),
    )
    .order_by(AuditEntry.id)
    .limit(1)
)


def first_view(session: Session, study_instance_uid: str) -> FirstViewing | None:
    """The first time that a person, not a program, opened a study."""
    row = rows_of(session, _FIRST_VIEW, {"uid": study_instance_uid}).first()
    return FirstViewing(*row) if row else None


def known_study(session: Session, named: Mapping[str, str]) -> str | None:
    """The Study Instance UID of what a path names; None if there is no such study or image.

    named: the parameters of the path, as `study_instance_uid`, `sop_instance_uid` or `sha256`.
    What somebody made up is no study's UID, and is not noted as one.
    """
    query = select(Study.study_instance_uid)
    if uid := named.get("study_instance_uid"):
        return session.scalar(query.where(Study.study_instance_uid == uid))
    if sha256 := named.get("sha256"):
        return session.scalar(query.join(Image).where(Image.sha256 == sha256))
    if sop := named.get("sop_instance_uid"):
        return session.scalar(query.join(Image).where(Image.sop_instance_uid == sop).limit(1))
    return None
