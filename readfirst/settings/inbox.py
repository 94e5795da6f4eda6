"""Settings of the inbox."""

from typing import Literal

from pydantic import Field

from readfirst.settings.fields import A_DAY, A_TEBIBYTE, FolderNames, SettingsGroup


class InboxSettings(SettingsGroup):
    """Rules by which files are taken from the inbox, and STAT is told by the folder."""

    stat_folders: FolderNames = Field(
        ("stat",),
        description="Names of folders, with commas between them: what is dropped into one of them, "
        "at any depth of the inbox, is STAT.",
    )
    settle_seconds: float = Field(
        1.0,
        ge=0.1,
        le=A_DAY,
        description="How long a file's size and time must be quiet before it is taken.",
    )
    incomplete_seconds: float = Field(
        10.0,
        ge=0.1,
        le=A_DAY,
        description="How long a quiet file that ends too early, or in zeros, may still be written "
        "before it is taken as it is.",
    )
    scan_seconds: float = Field(
        30.0, ge=0.5, le=A_DAY, description="Pause between two scans of the whole inbox."
    )
    watch: Literal["auto", "events", "polling"] = Field(
        "auto",
        description="How changes in the inbox are noticed. `auto` looks every two seconds on "
        "network file systems, which send no events, and relies on events elsewhere.",
    )
    min_free_megabytes: int = Field(
        1024,
        ge=0,
        le=1024 * A_TEBIBYTE,
        description="Free space below which intake pauses and files stay where they are.",
    )

    @property
    def stat_folder_names(self) -> frozenset[str]:
        """`stat_folders`, each in small letters."""
        return frozenset(name.casefold() for name in self.stat_folders)
