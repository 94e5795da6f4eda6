"""Settings of the Modality Worklist, which is asked for orders that no message brought."""

from pydantic import Field

from readfirst.settings.fields import AeTitle, Host, SettingsGroup


class ModalityWorklistSettings(SettingsGroup):
    """The Modality Worklist SCP of the RIS, and who asks it."""

    mwl_host: Host | None = Field(
        None,
        description="Machine of the Modality Worklist that is asked (C-FIND) for the order of a "
        "study of which no message came. Default: none is asked.",
    )
    mwl_port: int = Field(104, ge=1, le=65535, description="Port of the Modality Worklist.")
    mwl_ae_title: AeTitle = Field("WORKLIST", description="AE title of the Modality Worklist.")
    mwl_calling_ae_title: AeTitle = Field(
        "READFIRST", description="AE title by which ReadFirst asks the Modality Worklist."
    )
