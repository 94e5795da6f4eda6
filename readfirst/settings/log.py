"""Settings of the log."""

from typing import Literal

from pydantic import Field

from readfirst.settings.fields import A_TEBIBYTE, SettingsGroup


class LogSettings(SettingsGroup):
    """The level of the log, and how much of it is kept."""

    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least severe message that is logged."
    )
    log_megabytes: int = Field(
        10,
        ge=1,
        le=A_TEBIBYTE,
        description="Megabytes of a log file in the home folder, from which on a new one is begun.",
    )
    log_files: int = Field(5, ge=1, le=1000, description="Earlier files of each log that are kept.")
