"""The ensembles of the site: states, figures, promotion, roll-back, and scoring again."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field

from db.access.audit import Actor, AuditAction
from db.ensembles.changes import EnsembleChange
from db.ensembles.changes import change_ensemble as make_change
from db.ensembles.outlook import Outlook, outlook, outlook_sentence
from db.ensembles.rescoring_progress import RescoringProgress, rescoring_progress
from db.ensembles.shadow_progress import ShadowProgress, shadow_progress
from db.ensembles.thresholds import ActiveThresholds, active_thresholds
from db.ensembles.versions import known_ensembles, previous_ensemble
from db.nights.records import NightRecord, nights
from db.session import Database
from db.tables import EnsembleVersion
from models.manifest import Manifest, available_ensembles, load_manifest
from models.populations.records import PopulationRecord, population_record
from readfirst.access.roles import Role
from readfirst.ensemble_states import EnsembleState
from readfirst.errors import Misconfigured
from readfirst.language.texts import gettext
from readfirst.nights.config import night_plan
from readfirst.nights.reasons import END_WORDS
from readfirst.settings import Settings
from readfirst.studies.populations import film_finding_text, film_group_text, population_text
from readfirst.tasks.names import TaskName
from worklist.http.problems import TAKEN, as_problem
from worklist.http.responses import NOT_MODIFIED, answer_json, as_json
from worklist.security.policy import policy
from worklist.services.dependencies import (
    CurrentUser,
    DatabaseDep,
    Notifier,
    NotifierDep,
    NowDep,
    SettingsDep,
)
from worklist.services.forms import FormText, OwnForm
from worklist.services.templating import TEMPLATES

#: Nights that are listed; `readfirst nights list` has them all.
MOST_NIGHTS = 14

page = APIRouter(default_response_class=HTMLResponse)
api = APIRouter()


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures of a manifest, on patients that the networks never saw."""

    auc: float
    sensitivity: float
    specificity: float
    images: int
    patients: int


@dataclass(frozen=True, slots=True)
class EnsembleRecord:
    """An ensemble that the site knows. figures: null where its files do not lie on this machine.

    shadow: null while it does not score in shadow.
    """

    version: str
    state: EnsembleState
    #: The one that counts now, and its version of this ensemble's.
    threshold: float
    threshold_version: int
    registered_at: datetime
    activated_at: datetime | None
    retired_at: datetime | None
    figures: Figures | None
    #: Besides the first, each with a threshold and figures of its own.
    populations: tuple[PopulationRecord, ...]
    shadow: ShadowProgress | None


@dataclass(frozen=True, slots=True)
class SiteEnsembles:
    """The ensembles, the active one first. progress: of the active one; null before the first film.

    previous: the version that a roll-back leads to; null where there is none. outlook: what is left
    for the nights. nights: the latest ones, the last one first.
    """

    ensembles: tuple[EnsembleRecord, ...]
    previous: str | None
    progress: RescoringProgress | None
    outlook: Outlook | None
    nights: tuple[NightRecord, ...]


class WantedChange(BaseModel):
    """A change. version: of `promote`, `retire`, `shadow` and `end_shadow`."""

    change: EnsembleChange
    version: str | None = Field(None, max_length=64)


@page.get("/admin/ensembles", name="admin_ensembles")
@policy(Role.ADMIN, audit=AuditAction.ADMIN_VIEWED)
def ensembles_page(request: Request, database: DatabaseDep, settings: SettingsDep) -> Response:
    """The page."""
    return _page(request, database, settings)


@page.post("/admin/ensembles", dependencies=[OwnForm])
@policy(Role.ADMIN, audit=AuditAction.ADMIN_VIEWED)
def change_by_form(
    request: Request,
    user: CurrentUser,
    database: DatabaseDep,
    settings: SettingsDep,
    notify: NotifierDep,
    at: NowDep,
    change: Annotated[EnsembleChange, Form()],
    version: FormText = "",
) -> Response:
    """Change an ensemble, and say what was done."""
    try:
        done = _change(database, user.actor, change, version or None, at, notify)
    except Misconfigured as refusal:
        return _page(request, database, settings, wrong=str(refusal))
    return _page(request, database, settings, done=done)


@api.get(
    "/ensembles", operation_id="getEnsembles", response_model=SiteEnsembles, responses=NOT_MODIFIED
)
@policy(Role.ADMIN, audit=AuditAction.ADMIN_VIEWED)
def ensembles(request: Request, database: DatabaseDep, settings: SettingsDep) -> Response:
    """Every ensemble that the site knows: state, figures, and how far the active one has scored."""
    return answer_json(request, _site_ensembles(database, settings))


@api.post(
    "/ensembles/changes",
    operation_id="changeEnsemble",
    response_model=SiteEnsembles,
    responses=TAKEN,
)
@policy(Role.ADMIN, audit=AuditAction.ADMIN_VIEWED)
def change_ensemble(
    user: CurrentUser,
    database: DatabaseDep,
    settings: SettingsDep,
    notify: NotifierDep,
    at: NowDep,
    wanted: WantedChange,
) -> Response:
    """Promote, roll back or retire an ensemble, let one score in shadow, or score now what is left.

    An ensemble is brought in by `readfirst models add`, which checks it.
    """
    with as_problem():
        _change(database, user.actor, wanted.change, wanted.version, at, notify)
    return Response(as_json(_site_ensembles(database, settings)), media_type="application/json")


def _change(
    database: Database,
    by: Actor,
    change: EnsembleChange,
    version: str | None,
    at: datetime,
    notify: Notifier,
) -> str:
    """Make a change and note it. Returns a sentence of what was done. Raises Misconfigured."""
    with database.write() as session:
        version = make_change(session, by, change, at, version).version
    if change is EnsembleChange.RETIRE:
        return gettext("Ensemble {version} is retired. Its scores stay.").format(version=version)
    if change is EnsembleChange.SHADOW:
        # Workers load its networks when no film waits.
        notify(TaskName.SCORE)
        text = gettext("Ensemble {version} scores in shadow while no film waits.")
        return text.format(version=version)
    if change is EnsembleChange.END_SHADOW:
        text = gettext("Ensemble {version} is a candidate again. Its scores stay.")
        return text.format(version=version)
    if change is EnsembleChange.PROMOTE:
        # What it has scored in shadow ranks the studies at once.
        notify(TaskName.RANK)
        text = gettext("Ensemble {version} is active. What it has not seen is scored in the night.")
        return text.format(version=version)
    if change is EnsembleChange.STOP_NIGHT:
        return gettext("The night is stopped. What is left waits for the next one.")
    # Its scores rank the studies at once, and the rest is queued behind live films.
    notify(TaskName.NIGHTLY)
    if change is EnsembleChange.ROLL_BACK:
        text = gettext("Ensemble {version} is active again. Studies are ranked by its scores now.")
        return text.format(version=version)
    text = gettext("What ensemble {version} has not seen is scored now, behind films that come in.")
    return text.format(version=version)


def _site_ensembles(database: Database, settings: Settings) -> SiteEnsembles:
    manifests = {
        version: load_manifest(folder)
        for version, folder in available_ensembles(settings.ensembles_path).items()
    }
    with database.read() as session:
        rows = known_ensembles(session)
        thresholds = active_thresholds(session)
        shadows = {version: shadow_progress(session, row) for version, row in rows.items()}
        records = [
            _record(row, thresholds, manifests.get(version), shadows[version])
            for version, row in rows.items()
        ]
        active = next((row for row in rows.values() if row.active), None)
        progress = None if active is None else rescoring_progress(session, active.version)
        try:
            previous = previous_ensemble(session).version
        except Misconfigured:
            previous = None
        prospect = outlook(session, night_plan(settings), datetime.now(UTC))
        rows_of_nights = tuple(nights(session, MOST_NIGHTS))
    states = list(EnsembleState)
    records.sort(key=lambda record: record.registered_at, reverse=True)
    records.sort(
        key=lambda record: (record.state is not EnsembleState.ACTIVE, states.index(record.state))
    )
    return SiteEnsembles(tuple(records), previous, progress, prospect, rows_of_nights)


def _record(
    row: EnsembleVersion,
    thresholds: ActiveThresholds,
    manifest: Manifest | None,
    shadow: ShadowProgress | None,
) -> EnsembleRecord:
    metrics = None if manifest is None else manifest.metrics
    threshold = thresholds.by_ensemble[row.version]
    populations = () if manifest is None else manifest.populations
    return EnsembleRecord(
        version=row.version,
        state=row.state,
        threshold=threshold.value,
        threshold_version=threshold.version,
        registered_at=row.registered_at,
        activated_at=row.activated_at,
        retired_at=row.retired_at,
        figures=None
        if metrics is None
        else Figures(
            auc=metrics.auc.value,
            sensitivity=metrics.sensitivity.value,
            specificity=metrics.specificity.value,
            images=metrics.images,
            patients=metrics.patients,
        ),
        populations=tuple(
            population_record(each, own.value)
            for each in populations
            if (own := thresholds.of(row.version, each.name)) is not None
        ),
        shadow=shadow,
    )


def _page(
    request: Request,
    database: Database,
    settings: Settings,
    *,
    done: str | None = None,
    wrong: str | None = None,
) -> Response:
    site = _site_ensembles(database, settings)
    context = {
        "site": site,
        "outlook": outlook_sentence(site.outlook, settings.zone),
        "end_words": END_WORDS,
        "population_text": population_text,
        "film_group_text": film_group_text,
        "film_finding_text": film_finding_text,
        "zone": settings.zone,
        "done": done,
        "wrong": wrong,
    }
    status = 422 if wrong else 200
    return TEMPLATES.TemplateResponse(request, "admin/ensembles.html", context, status_code=status)
