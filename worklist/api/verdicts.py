"""The verdicts of readers: submitted, read back, and listed for whoever counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Body, HTTPException, Request, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from db.access.audit import AuditAction
from db.lifecycle.unit_of_work import unit_of_work
from db.lifecycle.verdicts import (
    MOST_COMMENT,
    ExpectedVersion,
    ShownFilm,
    VerdictInput,
    read_anyway,
    submit_verdict,
)
from db.read_models import VerdictRecord
from db.verdicts import all_verdicts, verdict_by_number, verdicts_of
from db.worklist.queries import study_exists
from db.worklist.study_read_models import verdict_without_ai
from readfirst.access.roles import Role
from readfirst.settings import Settings
from readfirst.studies.findings import Finding
from worklist.api.cursors import GREATEST_ID, next_page, of_row, row_id
from worklist.api.parameters import NO_NUL, SHA256, Cursor, GivenSince, GivenUntil, Limit, StudyUid
from worklist.http.problems import CONFLICT, NO_STUDY, NOT_FOUND, TAKEN
from worklist.http.responses import ROWS, Wanted, answer_rows, as_json
from worklist.security.policy import policy
from worklist.services.dependencies import (
    CurrentUser,
    DatabaseDep,
    FromPage,
    LifecycleDep,
    RequestDisclosures,
    SettingsDep,
)

router = APIRouter(tags=["verdicts"])

Count = Annotated[int, Field(ge=0, le=GREATEST_ID)]


class NewVerdict(BaseModel):
    """What a reader says, and how much of the study they have seen."""

    model_config = ConfigDict(extra="forbid")

    finding: Finding | None = Field(None, description="`null`: read, without an opinion.")
    withdrawn: bool = Field(
        False, description="Make the study unread again; then there is no `finding`."
    )
    comment: str | None = Field(None, max_length=MOST_COMMENT, pattern=NO_NUL)
    verdicts_seen: Count = Field(description="`verdict_count` of the study as it was seen.")
    images_seen: Count = Field(description="How many `images` the study had as it was seen.")
    displayed_image: Annotated[
        str | None,
        Field(
            pattern=SHA256,
            description="`sha256` of the image that the reader was shown. A page must name one; "
            "programs need not.",
        ),
    ] = None

    @model_validator(mode="after")
    def _one_or_the_other(self) -> "NewVerdict":
        if self.withdrawn and self.finding is not None:
            raise ValueError("a verdict that is withdrawn has no finding")
        return self


@dataclass(frozen=True, slots=True)
class Verdicts:
    """A page of all verdicts."""

    verdicts: tuple[VerdictRecord, ...]
    #: The cursor of the next page; null on the last one.
    next: str | None


@router.post(
    "/studies/{study_instance_uid}/verdicts",
    operation_id="giveVerdict",
    status_code=201,
    response_model=VerdictRecord,
    responses=NOT_FOUND | CONFLICT | TAKEN,
)
# A verdict is noted in its own transaction; a refusal that tells of another one, as any look at it.
@policy(Role.READER, audit=AuditAction.STUDY_VIEWED)
def give_verdict(
    user: CurrentUser,
    disclosures: RequestDisclosures,
    database: DatabaseDep,
    settings: SettingsDep,
    rules: LifecycleDep,
    from_page: FromPage,
    study_instance_uid: StudyUid,
    body: Annotated[NewVerdict, Body()],
) -> Response:
    """Say what a study shows. It is read then, and stays read until this is withdrawn.

    A later verdict takes the place of an earlier one, whoever gave it, and all are kept.
    """
    verdict = VerdictInput(finding=body.finding, withdrawn=body.withdrawn, comment=body.comment)
    displayed = body.displayed_image
    expected = ExpectedVersion(
        body.verdicts_seen,
        body.images_seen,
        ShownFilm(displayed=displayed or "") if from_page or displayed else None,
        ai_hidden=from_page and settings.hides_ai,
    )
    with unit_of_work(database, rules) as unit:
        number = submit_verdict(unit, study_instance_uid, verdict, user.actor, expected=expected)
        if number is None:
            raise HTTPException(404, NO_STUDY)
        row = verdict_by_number(unit.session, number, prevalence=settings.prevalence)
    disclosures.noted = True
    (row,) = _as_shown([row], settings)
    return Response(as_json(row), 201, media_type="application/json")


@router.get(
    "/studies/{study_instance_uid}/verdicts",
    operation_id="getVerdictsOfStudy",
    response_model=list[VerdictRecord],
    responses=ROWS | NOT_FOUND,
)
@policy(Role.SERVICE, audit=AuditAction.STUDY_VIEWED)
def of_study(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    study_instance_uid: StudyUid,
    wanted: Wanted = None,
) -> Response:
    """Every verdict of a study, the earliest first; the last one stands, unless withdrawn."""
    with database.read() as session:
        if not study_exists(session, study_instance_uid):
            raise HTTPException(404, NO_STUDY)
        rows = verdicts_of(session, study_instance_uid, prevalence=settings.prevalence)
    return answer_rows(request, wanted, VerdictRecord, _as_shown(rows, settings))


@router.delete(
    "/studies/{study_instance_uid}/prior",
    operation_id="readAnyway",
    status_code=204,
    response_class=Response,
    responses=NOT_FOUND,
)
# Noted in the transaction that changes it.
@policy(Role.READER)
def take_back(
    user: CurrentUser, database: DatabaseDep, rules: LifecycleDep, study_instance_uid: StudyUid
) -> Response:
    """Put a prior among the unread studies, for good: no rule makes it a prior again.

    A study that is no prior stays as it is, and does not become one later.
    """
    with unit_of_work(database, rules) as unit:
        if read_anyway(unit, study_instance_uid, user.actor) is None:
            raise HTTPException(404, NO_STUDY)
    return Response(status_code=204)


@router.get(
    "/verdicts",
    operation_id="getVerdicts",
    response_model=Verdicts,
    responses=ROWS,
)
@policy(Role.SERVICE, audit=AuditAction.LIST_VIEWED)
def verdicts(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    limit: Limit = 100,
    cursor: Cursor = None,
    since: GivenSince = None,
    until: GivenUntil = None,
    wanted: Wanted = None,
) -> Response:
    """The verdicts of all studies, the latest first, each with what the AI said then.

    `stands` tells the one of each study that holds now from those that it replaced.
    """
    with database.read() as session:
        rows = all_verdicts(
            session,
            limit=limit + 1,
            since=since,
            until=until,
            before=row_id(cursor) if cursor else None,
            prevalence=settings.prevalence,
        )
    page = tuple(_as_shown(rows[:limit], settings))
    end = of_row(page[-1].number) if len(rows) > limit else None
    whole, further = Verdicts(page, end), next_page(request, end)
    return answer_rows(request, wanted, VerdictRecord, page, whole=whole, next_page=further)


def _as_shown(rows: Sequence[VerdictRecord], settings: Settings) -> list[VerdictRecord]:
    """Verdicts, without what the AI said then while the site is silent."""
    return [verdict_without_ai(row) if settings.is_silent else row for row in rows]
