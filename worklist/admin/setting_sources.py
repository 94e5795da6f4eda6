"""Every setting with its value and where that comes from; what is secret is never shown."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import SecretStr
from pydantic_settings import DotEnvSettingsSource, EnvSettingsSource

from readfirst.language.texts import gettext
from readfirst.settings import Settings
from readfirst.settings.faults import env_name, is_hidden
from readfirst.settings.fields import SettingsGroup

#: Values that are words: of a secret, and of a setting without a value.
SET, NOT_SET = "set", "not set"
#: Headings of the groups, as the page and docs/reference/settings.md have them.
GROUP_WORDS = {
    "Home": "Folders, database and time zone",
    "Web": "Page and log-in",
    "Display": "Reading",
    "Inbox": "Inbox",
    "Listener": "DICOM listener",
    "Fetch": "Fetching from a PACS",
    "Hl7Listener": "HL7 listener",
    "ModalityWorklist": "Modality Worklist",
    "Work": "Work",
    "Night": "Nights",
    "Model": "Networks and scope",
    "Monitoring": "Monitoring",
    "Webhook": "Webhook",
    "Message": "HL7 v2 messages",
    "Escalation": "Escalation and mail",
    "Retention": "Retention",
    "Log": "Log",
}


class SettingSource(StrEnum):
    """Where the value of a setting comes from."""

    DEFAULT = "default"
    ENVIRONMENT = "environment"
    #: `.env` in the folder in which the server was started.
    FILE = "file"
    COMMAND_LINE = "command line"


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingRecord:
    """A setting. value and default: as people read them; of a secret only `set` or `not set`."""

    name: str
    group: str
    value: str
    default: str
    source: SettingSource
    secret: bool
    description: str


def setting_records(settings: Settings) -> list[SettingRecord]:
    """Every setting of this server, in the order of the groups and in the language of the page."""
    environment = _names(EnvSettingsSource(Settings))
    file = _names(DotEnvSettingsSource(Settings))
    return [
        _record(settings, field, _source(settings, field, environment, file))
        for group in _groups()
        for field in group.__annotations__
        if field in Settings.model_fields
    ]


def _record(settings: Settings, field: str, source: SettingSource) -> SettingRecord:
    info, value = Settings.model_fields[field], getattr(settings, field)
    secret = is_hidden(info)
    default = info.get_default(call_default_factory=True, validated_data={})
    return SettingRecord(
        name=env_name(field),
        group=_group_of(field),
        value=gettext(SET if value else NOT_SET) if secret else _words(value),
        default=gettext(NOT_SET) if secret else _words(default),
        source=source,
        secret=secret,
        description=gettext(str(info.description)),
    )


def _source(settings: Settings, field: str, environment: set[str], file: set[str]) -> SettingSource:
    name = env_name(field)
    if name in environment:
        source, read = SettingSource.ENVIRONMENT, True
    elif name in file:
        source, read = SettingSource.FILE, True
    else:
        source, read = SettingSource.DEFAULT, False
    default = Settings.model_fields[field].get_default(call_default_factory=True, validated_data={})
    if not read and getattr(settings, field) != default:
        return SettingSource.COMMAND_LINE
    return source


def _names(source: EnvSettingsSource) -> set[str]:
    return {name.upper() for name in source.env_vars}


def _groups() -> list[type[SettingsGroup]]:
    return [base for base in Settings.__bases__ if issubclass(base, SettingsGroup)]


def _group_of(field: str) -> str:
    group = next(group for group in _groups() if field in group.__annotations__)
    return group.__name__.removesuffix("Settings")


def _words(value: Any) -> str:
    if value is None or value in ("", ()):
        return gettext(NOT_SET)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, SecretStr):
        return gettext(SET)
    if isinstance(value, tuple):
        return ", ".join(str(each) for each in value)
    if isinstance(value, float):
        return f"{value:g}"
    return str(value)
