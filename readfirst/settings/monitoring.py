"""Settings of what watches the AI."""

from datetime import date
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from readfirst.calendar import EARLIEST_DAY, LATEST_DAY, parse_day
from readfirst.settings.fields import MustBe, SettingsGroup


def check_baseline(baseline: str | None) -> str | None:
    """Two days that are at most a year apart. Raises ValueError."""
    if baseline is not None:
        first, last = first_and_last(baseline)
        if not (0 <= (last - first).days < 366 and EARLIEST_DAY <= first <= last <= LATEST_DAY):
            raise ValueError("no such days")
    return baseline


class MonitoringSettings(SettingsGroup):
    """The baseline, and the bounds beyond which a change is a notice or an alarm."""

    baseline: Annotated[
        str | None,
        AfterValidator(check_baseline),
        MustBe(
            "two days of at most one year, the earlier one first, as 2026-01-05/2026-02-01, "
            f"from {EARLIEST_DAY} to {LATEST_DAY}"
        ),
    ] = Field(
        None,
        description="Days that later ones are held against, as `2026-01-05/2026-02-01`. "
        "Default: the first 28 days with films.",
    )
    drift_notice: float = Field(
        0.1, gt=0, le=100, description="Population stability index from which a change is reported."
    )
    drift_alarm: float = Field(
        0.25,
        gt=0,
        le=100,
        description="Population stability index from which a change is an alarm.",
    )
    drift_films: int = Field(
        50,
        ge=10,
        le=1_000_000,
        description="Of fewer films no population stability index is judged.",
    )
    least_ppv: float = Field(
        0.5,
        ge=0,
        lt=1,
        description="Share of flagged studies that readers must confirm; it is an alarm if the "
        "whole 95 % interval lies below.",
    )

    least_verdicts: int = Field(
        30,
        ge=1,
        le=1_000_000,
        description="Of fewer verdicts the monitoring states no PPV, sensitivity or the like.",
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.drift_notice > self.drift_alarm:
            raise ValueError(
                f"READFIRST_DRIFT_NOTICE is {self.drift_notice}; it must be at most "
                f"READFIRST_DRIFT_ALARM, which is {self.drift_alarm}."
            )
        return self

    @property
    def baseline_days(self) -> tuple[date, date] | None:
        """First and last day of `baseline`."""
        return None if self.baseline is None else first_and_last(self.baseline)


def first_and_last(days: str) -> tuple[date, date]:
    """Of ISO 8601's `first/last`. Raises ValueError."""
    first, _, last = days.partition("/")
    return parse_day(first), parse_day(last)
