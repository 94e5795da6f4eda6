"""Settings of the work on images, and of the nights in which they are scored again."""

from datetime import time, timedelta
from typing import Annotated, Self

from pydantic import Field, model_validator

from readfirst.settings.fields import A_DAY, A_TEBIBYTE, MustBe, SettingsGroup

A_TIME = MustBe("a time of day, as 02:00")
#: What no machine reaches.
MOST_FILMS = 10_000_000


class WorkSettings(SettingsGroup):
    """Batches, processes, limits and leases."""

    batch_size: int = Field(32, ge=1, le=512, description="Most images in one assessment.")
    prepare_workers: int = Field(
        1, ge=1, le=64, description="Processes that decode, in one `readfirst worker`."
    )
    sweep_seconds: float = Field(
        10.0, ge=1, le=A_DAY, description="Pause between two looks for work that was forgotten."
    )
    lease_seconds: float = Field(
        120.0,
        ge=5,
        le=A_DAY,
        description="How long a worker may hold an image, or a result that is to be sent, before "
        "another takes it.",
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


class NightSettings(SettingsGroup):
    """The window of a night, its rate, and what is told of it in the morning."""

    nightly_at: Annotated[time, A_TIME] = Field(
        time(2, 0), description="Hour of the nightly re-scoring, in the site's zone."
    )
    nightly_until: Annotated[time | None, MustBe("a time of day, as 06:00")] = Field(
        None,
        description="Hour at which it ends; what is left then waits for the next night. Default: "
        "when nothing is left.",
    )
    nightly_films_an_hour: int | None = Field(
        None,
        ge=1,
        le=MOST_FILMS,
        description="Most films an hour that it scores. Default: as many as the machine can.",
    )

    second_look: float = Field(
        0.25,
        gt=0,
        le=1,
        description="Change of the probability, as the ensembles give it, from which a study that "
        "was read is listed for a second look in the morning.",
    )

    @model_validator(mode="after")
    def _window_fits(self) -> Self:
        for name in ("nightly_at", "nightly_until"):
            clock: time | None = getattr(self, name)
            if clock is not None and clock.tzinfo is not None:
                raise ValueError(
                    f"READFIRST_{name.upper()} names a zone; it must be a time of day in the "
                    "site's own, as 02:00."
                )
        if self.nightly_at == self.nightly_until:
            raise ValueError(
                "READFIRST_NIGHTLY_AT and READFIRST_NIGHTLY_UNTIL are the same time; leave the "
                "second out to let a night end when nothing is left."
            )
        return self
