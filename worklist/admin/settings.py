"""The settings of this server, each with its source: to be looked at, and not to be changed."""

from dataclasses import dataclass
from itertools import groupby

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from db.access.audit import AuditAction
from readfirst.access.roles import Role
from readfirst.settings import unknown_settings
from worklist.admin.setting_sources import (
    GROUP_WORDS,
    SettingRecord,
    SettingSource,
    setting_records,
)
from worklist.http.responses import NOT_MODIFIED, answer_json
from worklist.security.policy import policy
from worklist.services.dependencies import SettingsDep
from worklist.services.templating import TEMPLATES

page = APIRouter(default_response_class=HTMLResponse)
api = APIRouter()


@dataclass(frozen=True, slots=True)
class UnknownSetting:
    """A variable without effect that looks like a setting. nearest: the one that may be meant."""

    name: str
    nearest: str | None


@dataclass(frozen=True, slots=True)
class SiteSettings:
    """All settings of the server that answers, and variables that look like settings."""

    settings: tuple[SettingRecord, ...]
    unknown: tuple[UnknownSetting, ...]


@page.get("/admin/settings", name="admin_settings")
@policy(Role.ADMIN, audit=AuditAction.ADMIN_VIEWED)
def settings_page(request: Request, settings: SettingsDep) -> Response:
    """The page."""
    records = setting_records(settings)
    context = {
        "groups": [
            (GROUP_WORDS[name], list(rows))
            for name, rows in groupby(records, lambda row: row.group)
        ],
        "chosen": sum(row.source is not SettingSource.DEFAULT for row in records),
        "total": len(records),
        "unknown": unknown_settings(),
    }
    return TEMPLATES.TemplateResponse(request, "admin/settings.html", context)


@api.get(
    "/settings", operation_id="getSettings", response_model=SiteSettings, responses=NOT_MODIFIED
)
@policy(Role.ADMIN, audit=AuditAction.ADMIN_VIEWED)
def settings_document(request: Request, settings: SettingsDep) -> Response:
    """Every setting with its value and source. Of a secret: only whether it is set."""
    unknown = tuple(UnknownSetting(each.name, each.nearest) for each in unknown_settings())
    return answer_json(request, SiteSettings(tuple(setting_records(settings)), unknown))
