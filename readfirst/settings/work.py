"""Settings of the work on images."""

from datetime import time, timedelta
from typing import Annotated

from pydantic import Field

from readfirst.settings.fields import A_DAY, A_TEBIBYTE, MustBe, SettingsGroup


class WorkSettings(SettingsGroup):
    """Batches, processes, limits, leases, and the night."""

    batch_size: int = Field(32, ge=1, le=512, description="Most images in one assessment.")
    prepare_workers: int = Field(
        1, ge=1, le=64, description="Processes that decode, in one `readfirst worker`."
    )
    nightly_at: Annotated[time, MustBe("a time of day, as 02:00")] = Field(
        time(2, 0), description="Hour of the nightly re-scoring, in the site's zone."
    )
    sweep_seconds: float = Field(
        10.0, ge=1, le=A_DAY, description="Pause between two looks for work that was forgotten."
    )
    lease_seconds: float = Field(
        120.0,
        ge=5,
        le=A_DAY,
        description="How long a worker may hold an image before another takes it.",
    )
    max_attempts: int = Field(
        3,
        ge=1,
        le=1000,
        description="Attempts that failed by its own doing, after which an image is refused.",
    )
    decode_seconds: float = Field(
        30.0, ge=1, le=3600, description="Processor time for reading one file."
    )
    decode_megabytes: int = Field(
        512,
        ge=64,
        le=A_TEBIBYTE,
        description="Memory limit, above its base, of the process that reads files.",
    )

    @property
    def lease(self) -> timedelta:
        """`lease_seconds` as a duration."""
        return timedelta(seconds=self.lease_seconds)
