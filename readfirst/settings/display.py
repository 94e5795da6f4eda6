"""Settings of the reading order, of what is shown of a study, and of what its results say."""

from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import NoDecode

from readfirst.results.concepts import Code, read_code
from readfirst.settings.fields import A_YEAR, MustBe, SettingsGroup, each, split_at_commas
from readfirst.studies.display import DisplayContext
from readfirst.studies.priority import Overdue
from readfirst.studies.viewer import FIELDS, check_template

#: Nobody reads more equivalents of a code.
MOST_CODES = 8


def check_number_of_codes(values: tuple[str, ...]) -> tuple[str, ...]:
    """At least one code, and no more than anybody reads. Raises ValueError."""
    if not 0 < len(values) <= MOST_CODES:
        raise ValueError("no code, or too many")
    return values


Codes = Annotated[
    tuple[str, ...],
    NoDecode,
    BeforeValidator(split_at_commas),
    AfterValidator(each(read_code)),
    AfterValidator(check_number_of_codes),
    MustBe("1 to 8 codes as RID5350^pneumonia^RADLEX, with commas between them"),
]


def check_viewer_url(template: str | None) -> str | None:
    """A template of addresses. Raises ValueError."""
    return None if template is None else check_template(template)


class DisplaySettings(SettingsGroup):
    """The longest wait, the prevalence, the site's viewer, and who sees the AI's result when."""

    mode: Literal["live", "silent"] = Field(
        "live",
        description="live, or silent: the AI scores every film and all is kept, but nothing ranks "
        "by it, nobody sees it or is told of it, until a lead has accepted it.",
    )
    max_wait_hours: float = Field(
        8.0,
        gt=0,
        le=A_YEAR / 3600,
        description="Head start of a flagged study. It is also the longest time in which "
        "later flagged studies can overtake one that is not flagged.",
    )
    prevalence: float | None = Field(
        None,
        ge=0.00001,
        le=0.99999,
        description="Share of pneumonia among the films of this site, for which probabilities and "
        "threshold are stated; the flags stay the same. Default: that of the ensemble's films.",
    )
    quiet_seconds: float = Field(
        60.0,
        ge=0,
        le=A_YEAR,
        description="How long no file of a study may have come in before it is shown as complete; "
        "it ranks at once by what is there.",
    )
    viewer_url: Annotated[
        str | None,
        AfterValidator(check_viewer_url),
        MustBe(
            "an address as https://pacs.example/viewer?study={study_instance_uid}; only "
            f"{' and '.join(f'{{{field}}}' for field in FIELDS)} may be filled in",
            hidden=True,
        ),
    ] = Field(
        None,
        description="Address of a study in the site's own viewer, with `{study_instance_uid}` or "
        "`{accession_number}` where they belong. Default: no link.",
    )

    hide_ai_until_verdict: bool = Field(
        False,
        description="Hide what the AI says of a study from its readers until one of them has given "
        "a verdict; the reading order stays.",
    )

    prior_after_days: int = Field(
        90,
        ge=0,
        le=3660,
        description="Age of a study at its arrival, in days, from which it is a prior: scored, and "
        "shown with the patient's newer studies, but no unread work. One that is a day old is a "
        "prior if the patient has a newer study. 0: no study is a prior.",
    )

    result_finding_codes: Codes = Field(
        ("RID5350^pneumonia^RADLEX",),
        description="Code of pneumonia in DICOM results, as `RID5350^pneumonia^RADLEX`. Further "
        "ones, with commas between them, are written as its equivalents. SNOMED CT's is "
        "`233604007^Pneumonia^SCT`, for sites that have a licence of it.",
    )

    @property
    def result_finding(self) -> tuple[Code, ...]:
        """`result_finding_codes` as codes."""
        return tuple(read_code(text) for text in self.result_finding_codes)

    @property
    def is_silent(self) -> bool:
        """True if nothing ranks by the AI, and nobody is told what it says."""
        return self.mode == "silent"

    @property
    def hides_ai(self) -> bool:
        """True if what the AI says of a study is kept from its readers, at least for a while."""
        return self.is_silent or self.hide_ai_until_verdict

    @property
    def prior_after(self) -> timedelta | None:
        """`prior_after_days` as a duration; None if no study is a prior."""
        return timedelta(days=self.prior_after_days) if self.prior_after_days else None

    @property
    def max_wait(self) -> timedelta:
        """`max_wait_hours` as a duration."""
        return timedelta(hours=self.max_wait_hours)

    def display(self, now: datetime, *, to_reader: bool = False) -> DisplayContext:
        """The context in which studies are shown at this site now.

        to_reader: to a person at the page, from whom the AI's result may be hidden.
        """
        return DisplayContext(
            prevalence=self.prevalence,
            quiet_before=now - timedelta(seconds=self.quiet_seconds),
            overdue=Overdue(now - self.max_wait, self.max_wait),
            hides_ai=self.is_silent or (to_reader and self.hide_ai_until_verdict),
            silent=self.is_silent,
        )
