"""Settings of fetching films from a PACS."""

from pydantic import Field

from readfirst.settings.fields import A_DAY, SettingsGroup

#: A week.
MOST_MINUTES = 7 * A_DAY / 60


class FetchSettings(SettingsGroup):
    """The pace at which films are fetched. The archives themselves are rows: `sources add`."""

    fetch_per_hour: int = Field(
        600,
        ge=1,
        le=1_000_000,
        description="Most studies an hour that are fetched from a PACS by `readfirst fetch`, for "
        "which nobody waits.",
    )
    fetch_every_seconds: float = Field(
        60.0,
        ge=1,
        le=A_DAY,
        description="Pause between two polls of a source (`readfirst sources change NAME --poll`).",
    )
    fetch_look_back_minutes: float = Field(
        120.0,
        ge=0,
        le=MOST_MINUTES,
        description="How far a poll looks back behind the one before: the longest that a film "
        "comes into the PACS after its Study Time, by clocks that differ.",
    )
    fetch_priors: int = Field(
        3,
        ge=1,
        le=20,
        description="Most earlier chest films of a patient, the newest, that are fetched when a "
        "new film comes in, from sources with `--priors`.",
    )
    fetch_priors_per_day: int = Field(
        500, ge=1, le=1_000_000, description="Most of them from one source in 24 hours."
    )
