"""The page of a night: what scoring again has changed, for the lead in the morning."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from db.access.audit import AuditAction
from db.nights.records import NightRecord, nights
from db.nights.report import (
    ChangeCounts,
    GroupKind,
    NightChange,
    NightStudy,
    changed_studies,
    night_report,
)
from readfirst.access.roles import Role
from readfirst.formatting import readable_name, readable_probability
from readfirst.language.texts import gettext
from readfirst.nights.reasons import END_WORDS
from worklist.api.nights import NightNumber, find_night
from worklist.security.policy import policy
from worklist.services.dependencies import DatabaseDep, SettingsDep
from worklist.services.study_texts import NO_NAME
from worklist.services.templating import TEMPLATES

router = APIRouter(default_response_class=HTMLResponse)
#: Studies of a list that the page shows; the API has them all. Nights that are a link away.
MOST_STUDIES, MOST_NIGHTS = 100, 14
#: A space at which no line ends.
NO_BREAK = "\N{NO-BREAK SPACE}"
HEADINGS = {
    NightChange.NEWLY_FLAGGED: "Newly flagged",
    NightChange.WITHDRAWN: "Flag withdrawn",
    NightChange.SECOND_LOOK: "For a second look",
}
GROUPS = {
    GroupKind.ENSEMBLES: "Ensembles, before → after",
    GroupKind.POPULATION: "Population",
    GroupKind.SCANNER: "Scanner",
}


@router.get("/watching/night", name="night")
@policy(Role.LEAD, audit=AuditAction.MONITORING_VIEWED)
def night_page(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    number: NightNumber | None = None,
) -> Response:
    """The page. number: of a night; the last one without it."""
    with database.read() as session:
        rows = nights(session, MOST_NIGHTS)
        night = find_night(session, number) if number else _last(rows)
        report, lists = None, {}
        if night is not None:
            report = night_report(session, night, settings.second_look)
            lists = {
                change: changed_studies(
                    session,
                    night.number,
                    change,
                    settings.second_look,
                    limit=MOST_STUDIES,
                    prevalence=settings.prevalence,
                    hides_ai=settings.hide_ai_until_verdict,
                )
                for change in NightChange
            }
    context = {
        "nights": rows,
        "night": night,
        "report": report,
        "lists": lists,
        "totals": _totals(report.counts) if report else {},
        "headings": HEADINGS,
        "group_headings": GROUPS,
        "end_words": END_WORDS,
        "hides_ai": settings.hide_ai_until_verdict,
        "zone": settings.zone,
        "name": lambda row: readable_name(row.patient_name or "") or gettext(NO_NAME),
        "change_text": change_text,
    }
    return TEMPLATES.TemplateResponse(request, "monitoring_night.html", context)


def change_text(row: NightStudy) -> str:
    """The scores before and after, as `12 % → 85 %`."""
    text = f"{_score(row.probability_before)} → {_score(row.probability_after)}"
    return text.replace(" ", NO_BREAK)


def _score(probability: float | None) -> str:
    return gettext("not scored") if probability is None else readable_probability(probability)


def _last(rows: list[NightRecord]) -> NightRecord | None:
    """The last night that scored anything, or else the last one."""
    return next((row for row in rows if row.scored), rows[0] if rows else None)


def _totals(counts: ChangeCounts) -> dict[NightChange, int]:
    return {
        NightChange.NEWLY_FLAGGED: counts.newly_flagged,
        NightChange.WITHDRAWN: counts.withdrawn,
        NightChange.SECOND_LOOK: counts.second_look,
    }
