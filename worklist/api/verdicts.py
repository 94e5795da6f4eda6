"""What readers say of studies: given, read back, and listed for whoever counts."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Body, HTTPException, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from db.session import Database
from db.verdicts import (
    MOST_COMMENT,
    Opinion,
    Seen,
    all_verdicts,
    give,
    verdict_by_number,
    verdicts_of,
)
from db.views import VerdictView
from db.worklist import study_exists
from readfirst.findings import Finding
from readfirst.settings import Settings
from worklist.api.answers import ROWS, Wanted, answer_rows, as_json
from worklist.api.cursors import GREATEST_ID, next_page, of_row, row_id
from worklist.api.parameters import NO_NUL, Cursor, Limit, Moment, StudyUid
from worklist.api.problems import CONFLICT, NOT_FOUND, TAKEN
from worklist.security.visitor import Who

GivenSince = Annotated[
    Moment | None, Query(description="Only what was given then or later; a time with its zone.")
]
GivenUntil = Annotated[Moment | None, Query(description="Only what was given before then.")]
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

    @model_validator(mode="after")
    def _one_or_the_other(self) -> "NewVerdict":
        if self.withdrawn and self.finding is not None:
            raise ValueError("a verdict that is withdrawn has no finding")
        return self


@dataclass(frozen=True, slots=True)
class Verdicts:
    """A page of all verdicts."""

    verdicts: tuple[VerdictView, ...]
    #: The cursor of the next page; null on the last one.
    next: str | None


def add_verdicts(router: APIRouter, database: Database, settings: Settings) -> None:
    """Add giving a verdict, those of one study, and all."""

    @router.post(
        "/studies/{study_instance_uid}/verdicts",
        operation_id="giveVerdict",
        tags=["verdicts"],
        status_code=201,
        response_model=VerdictView,
        responses=NOT_FOUND | CONFLICT | TAKEN,
    )
    def give_verdict(
        who: Who, study_instance_uid: StudyUid, body: Annotated[NewVerdict, Body()]
    ) -> Response:
        """Say what a study shows. It is read then, and stays read until this is withdrawn.

        A later verdict takes the place of an earlier one, whoever gave it, and all are kept.
        """
        with database.write() as session:
            number = give(
                session,
                study_instance_uid,
                Opinion(finding=body.finding, withdrawn=body.withdrawn, comment=body.comment),
                who.actor,
                datetime.now(UTC),
                seen=Seen(body.verdicts_seen, body.images_seen),
            )
            if number is None:
                raise HTTPException(404, "No study has this Study Instance UID.")
            given = verdict_by_number(session, number, prevalence=settings.prevalence)
        return Response(as_json(given), 201, media_type="application/json")

    @router.get(
        "/studies/{study_instance_uid}/verdicts",
        operation_id="getVerdictsOfStudy",
        tags=["verdicts"],
        response_model=list[VerdictView],
        responses=ROWS | NOT_FOUND,
    )
    def of_study(request: Request, study_instance_uid: StudyUid, wanted: Wanted = None) -> Response:
        """Every verdict of a study, the earliest first; the last one stands, unless withdrawn."""
        with database.read() as session:
            if not study_exists(session, study_instance_uid):
                raise HTTPException(404, "No study has this Study Instance UID.")
            rows = verdicts_of(session, study_instance_uid, prevalence=settings.prevalence)
        return answer_rows(request, wanted, VerdictView, rows)

    @router.get(
        "/verdicts",
        operation_id="getVerdicts",
        tags=["verdicts"],
        response_model=Verdicts,
        responses=ROWS,
    )
    def verdicts(
        request: Request,
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
        page = tuple(rows[:limit])
        end = of_row(page[-1].number) if len(rows) > limit else None
        whole, further = Verdicts(page, end), next_page(request, end)
        return answer_rows(request, wanted, VerdictView, page, whole=whole, next_page=further)
