"""Settings of how long originals are kept."""

from pydantic import Field

from readfirst.settings.fields import A_CENTURY_OF_DAYS, SettingsGroup


class RetentionSettings(SettingsGroup):
    """Days after which originals are removed; none are by default."""

    keep_refused_days: float | None = Field(
        None,
        gt=0,
        le=A_CENTURY_OF_DAYS,
        description="How long the originals of refused images are kept. Default: for ever.",
    )
    keep_originals_days: float | None = Field(
        None,
        gt=0,
        le=A_CENTURY_OF_DAYS,
        description="How long the originals of scored images are kept, from their latest score. "
        "Default: for ever.",
    )
