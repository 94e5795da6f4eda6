"""Settings of fetching films from a PACS."""

from pydantic import Field

from readfirst.settings.fields import SettingsGroup


class FetchSettings(SettingsGroup):
    """The pace at which films are fetched. The archives themselves are rows: `sources add`."""

    fetch_per_hour: int = Field(
        600,
        ge=1,
        le=1_000_000,
        description="Most studies an hour that are fetched from a PACS by `readfirst fetch`, for "
        "which nobody waits.",
    )
