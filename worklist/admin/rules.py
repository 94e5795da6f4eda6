"""The rules of the scope, and what they say of a film that an administrator drops here."""

from dataclasses import dataclass
from itertools import groupby

from fastapi import APIRouter, HTTPException, Request, Response, UploadFile
from fastapi.responses import HTMLResponse

from db.access.audit import AuditAction
from db.session import Database
from ingest.reader.reader_process import Reader
from ingest.scope.scope_rules import load_rules
from ingest.scope.unused_patterns import unused_patterns
from readfirst.access.roles import Role
from readfirst.domain import Ages
from readfirst.errors import Misconfigured, ReadFirstError
from readfirst.settings import Settings
from worklist.admin.explained_files import kept_while_read
from worklist.admin.explanation import (
    FilmExplanation,
    RulePart,
    active_ages,
    explain,
    rule_parts,
)
from worklist.http.problems import TAKEN
from worklist.http.responses import NOT_MODIFIED, answer_json, as_json
from worklist.security.policy import policy
from worklist.services.dependencies import DatabaseDep, HeaderReaderDep, SettingsDep
from worklist.services.forms import OwnForm
from worklist.services.templating import TEMPLATES

page = APIRouter(default_response_class=HTMLResponse)
api = APIRouter()
#: The routes that take a film, which may be as large as any other upload.
film_page = APIRouter(default_response_class=HTMLResponse)
film_api = APIRouter()

NO_FILE = "Choose a file first."


@dataclass(frozen=True, slots=True)
class SiteRules:
    """The rules in force. ages: those that the active ensemble was validated on; null if unknown.

    file: that of READFIRST_SCOPE; null where the rules are those that come with ReadFirst.
    unused: sentences about patterns that can never decide anything.
    """

    file: str | None
    ensemble: str
    ages: Ages | None
    parts: tuple[RulePart, ...]
    unused: tuple[str, ...]


@page.get("/admin/rules", name="admin_rules")
@policy(Role.ADMIN, audit=AuditAction.ADMIN_VIEWED)
def rules_page(request: Request, database: DatabaseDep, settings: SettingsDep) -> Response:
    """The page."""
    return _page(request, database, settings)


@api.get("/rules", operation_id="getScopeRules", response_model=SiteRules, responses=NOT_MODIFIED)
@policy(Role.ADMIN, audit=AuditAction.ADMIN_VIEWED)
def rules_document(request: Request, database: DatabaseDep, settings: SettingsDep) -> Response:
    """The rules of what is scored, marked or refused, with the source of each part."""
    try:
        return answer_json(request, _site_rules(database, settings))
    except Misconfigured as error:
        raise HTTPException(503, str(error)) from error


@film_page.post("/admin/rules/explanation", dependencies=[OwnForm])
@policy(Role.ADMIN, audit=AuditAction.FILM_EXPLAINED)
def explain_by_form(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    reader: HeaderReaderDep,
    file: UploadFile | None = None,
) -> Response:
    """Say on the page what would become of a film."""
    if file is None or not file.filename:
        return _page(request, database, settings, wrong=NO_FILE)
    try:
        explained = _explained(database, settings, reader, file)
    except ReadFirstError as error:
        return _page(request, database, settings, wrong=str(error))
    return _page(request, database, settings, explained=explained)


@film_api.post(
    "/rules/explanation",
    operation_id="explainFilm",
    response_model=FilmExplanation,
    responses=TAKEN,
)
@policy(Role.ADMIN, audit=AuditAction.FILM_EXPLAINED)
def explain_film(
    database: DatabaseDep, settings: SettingsDep, reader: HeaderReaderDep, file: UploadFile
) -> Response:
    """Say which rule decides about a film, and what would become of it. The file is not kept."""
    try:
        explained = _explained(database, settings, reader, file)
    except ReadFirstError as error:
        raise HTTPException(503, str(error)) from error
    return Response(as_json(explained), media_type="application/json")


def _explained(
    database: Database, settings: Settings, reader: Reader, file: UploadFile
) -> FilmExplanation:
    rules = load_rules(settings.scope)
    with database.read() as session:
        _, ages = active_ages(session, settings.ensembles_path)
    with kept_while_read(settings.home_path, file.file) as path:
        return explain(path, reader, rules, ages)


def _site_rules(database: Database, settings: Settings) -> SiteRules:
    rules = load_rules(settings.scope)
    with database.read() as session:
        version, ages = active_ages(session, settings.ensembles_path)
    unused = tuple(each.sentence for each in unused_patterns(rules))
    path = None if settings.scope is None else str(settings.scope)
    return SiteRules(path, version, ages, tuple(rule_parts(rules)), unused)


def _page(
    request: Request,
    database: Database,
    settings: Settings,
    *,
    explained: FilmExplanation | None = None,
    wrong: str = "",
) -> Response:
    try:
        site = _site_rules(database, settings)
    except Misconfigured as error:
        without = {"site": None, "fault": str(error)}
        return TEMPLATES.TemplateResponse(request, "admin/rules.html", without)
    tables = [(name, list(parts)) for name, parts in groupby(site.parts, lambda part: part.rule)]
    context = {
        "site": site,
        "tags": [(name, {part.key: part for part in parts}) for name, parts in tables[:-1]],
        "age": tables[-1][1],
        "explained": explained,
        "wrong": wrong,
    }
    status = 422 if wrong else 200
    return TEMPLATES.TemplateResponse(request, "admin/rules.html", context, status)
