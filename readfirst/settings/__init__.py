"""Every setting, typed and frozen, in one module a group. Only entry points load them."""

from typing import Any

from pydantic import ValidationError
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from readfirst.errors import Misconfigured
from readfirst.settings.display import DisplaySettings
from readfirst.settings.escalation import EscalationSettings
from readfirst.settings.exchange.fetching import FetchSettings
from readfirst.settings.exchange.hl7_listener import Hl7ListenerSettings
from readfirst.settings.exchange.messages import MessageSettings
from readfirst.settings.exchange.modality_worklist import ModalityWorklistSettings
from readfirst.settings.faults import env_name, sentences
from readfirst.settings.fields import A_DAY
from readfirst.settings.home import HomeSettings
from readfirst.settings.inbox import InboxSettings
from readfirst.settings.listener import ListenerSettings
from readfirst.settings.log import LogSettings
from readfirst.settings.models import ModelSettings
from readfirst.settings.monitoring import MonitoringSettings
from readfirst.settings.retention import RetentionSettings
from readfirst.settings.unknown import UnknownName, unknown_names
from readfirst.settings.web import WebSettings
from readfirst.settings.webhook import WebhookSettings
from readfirst.settings.work import NightSettings, WorkSettings

__all__ = [
    "A_DAY",
    "Settings",
    "UnknownName",
    "load_settings",
    "unknown_settings",
]


class Environment(EnvSettingsSource):
    """The environment's settings. Pydantic's own takes the type of every setting apart first."""

    def __call__(self) -> dict[str, Any]:
        """The values of those settings alone that the environment has."""
        values = {}
        for name, field in self.settings_cls.model_fields.items():
            if env_name(name).lower() in self.env_vars:
                value, key, is_complex = self.get_field_value(field, name)
                values[key] = self.prepare_field_value(name, field, value, is_complex)
        return values


class Settings(
    HomeSettings,
    InboxSettings,
    ListenerSettings,
    FetchSettings,
    Hl7ListenerSettings,
    ModalityWorklistSettings,
    WorkSettings,
    NightSettings,
    ModelSettings,
    EscalationSettings,
    DisplaySettings,
    WebSettings,
    WebhookSettings,
    MessageSettings,
    MonitoringSettings,
    RetentionSettings,
    LogSettings,
    BaseSettings,
):
    """All that a site may choose, from the environment (`READFIRST_…`) and `.env`."""

    model_config = SettingsConfigDict(
        env_prefix="READFIRST_", env_file=".env", extra="ignore", frozen=True
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is Pydantic's
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as above
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Leave out `.env` where it says nothing: every setting would be looked for in it."""
        if isinstance(dotenv_settings, DotEnvSettingsSource) and not dotenv_settings.env_vars:
            return init_settings, Environment(settings_cls)
        return init_settings, Environment(settings_cls), dotenv_settings


def load_settings() -> Settings:
    """Read the environment and `.env`. Raises Misconfigured with one sentence for each fault."""
    try:
        return Settings()
    except ValidationError as error:
        raise Misconfigured("\n".join(sentences(error, Settings.model_fields))) from error
    except UnicodeDecodeError as error:
        raise Misconfigured("The file .env is no text in UTF-8; it must be one.") from error
    except OSError as error:
        raise Misconfigured(f"The file .env cannot be read: {error.strerror}.") from error


def unknown_settings() -> list[UnknownName]:
    """Variables that look like settings, and that no setting reads."""
    return unknown_names(Settings)
