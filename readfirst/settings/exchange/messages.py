"""Settings of HL7 v2 messages: who sends to whom, and the template of results."""

import re
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from readfirst.errors import Misconfigured
from readfirst.settings.fields import MustBe, OptionalFile, SettingsGroup

#: MSH-3 to MSH-6: at most 60 characters each, none of which delimits or is a line's end.
APPLICATIONS = re.compile(r"(?:[^|^~\\&\x00-\x1f\x7f]{0,60}\|){3}[^|^~\\&\x00-\x1f\x7f]{0,60}")
APPLICATIONS_WORDS = (
    "four names with | between them, the first not empty, as READFIRST|RAD|RIS|HOSP"
)


def check_applications(text: str) -> str:
    """Four names with `|` between them, the first of which is there. Raises ValueError."""
    if not APPLICATIONS.fullmatch(text) or text.startswith("|"):
        raise ValueError("no four names")
    return text


class MessageSettings(SettingsGroup):
    """The header of messages, and the template of ORU^R01."""

    hl7_applications: Annotated[
        str,
        AfterValidator(check_applications),
        MustBe(APPLICATIONS_WORDS),
    ] = Field(
        "READFIRST|||",
        description="Who sends HL7 v2 messages to whom, MSH-3 to MSH-6: sending application and "
        "facility, receiving application and facility.",
    )
    oru_template: OptionalFile = Field(
        None,
        description="File with the template of ORU^R01 messages. Default: the one that comes with "
        "ReadFirst.",
    )

    @model_validator(mode="after")
    def _template_makes_messages(self) -> Self:
        if self.oru_template is not None:
            # Only sites with a template of their own wait for Jinja.
            from readfirst.results.hl7.check import check_template
            from readfirst.results.hl7.oru import read_template

            try:
                check_template(read_template(self.oru_template))
            except Misconfigured as error:
                raise ValueError(f"READFIRST_ORU_TEMPLATE: {error}") from error
        return self
