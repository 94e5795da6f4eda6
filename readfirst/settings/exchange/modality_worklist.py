"""Settings of the Modality Worklist, which is asked for orders that no message brought."""

from typing import Annotated

from pydantic import AfterValidator, Field

from readfirst.settings.fields import AeTitle, MustBe, SettingsGroup, check_host


def check_optional_host(text: str | None) -> str | None:
    """A machine's address or name, or none. Raises ValueError."""
    return None if text is None else check_host(text)


OptionalHost = Annotated[
    str | None,
    AfterValidator(check_optional_host),
    MustBe("an address or a name without a port, as 127.0.0.1"),
]


class ModalityWorklistSettings(SettingsGroup):
    """The Modality Worklist SCP of the RIS, and who asks it."""

    mwl_host: OptionalHost = Field(
        None,
        description="Machine of the Modality Worklist that is asked (C-FIND) for the order of a "
        "study of which no message came. Default: none is asked.",
    )
    mwl_port: int = Field(104, ge=1, le=65535, description="Port of the Modality Worklist.")
    mwl_ae_title: AeTitle = Field("WORKLIST", description="AE title of the Modality Worklist.")
    mwl_calling_ae_title: AeTitle = Field(
        "READFIRST", description="AE title by which ReadFirst asks the Modality Worklist."
    )
