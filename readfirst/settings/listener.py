"""Settings of the DICOM listener."""

from pydantic import Field

from readfirst.settings.fields import (
    A_TEBIBYTE,
    AeTitle,
    AeTitles,
    Host,
    Networks,
    OptionalFile,
    SettingsGroup,
)


class ListenerSettings(SettingsGroup):
    """The address of the DICOM listener, its limits, and who may send."""

    receive: bool = Field(
        False, description="Whether `readfirst up` also starts the DICOM listener."
    )
    receive_host: Host = Field(
        "127.0.0.1",
        description="Address on which the DICOM listener listens. Off loopback, "
        "set `READFIRST_RECEIVE_CALLING` and `READFIRST_RECEIVE_PEERS` to those who may send.",
    )
    receive_port: int = Field(
        11112, ge=0, le=65535, description="Port of the DICOM listener; 0 takes a free one."
    )
    receive_ae_title: AeTitle = Field(
        "READFIRST",
        description="AE title of the DICOM listener, by which callers must call it.",
    )
    receive_calling: AeTitles = Field(
        (), description="AE titles that may send, with commas between them. Default: any."
    )
    receive_peers: Networks = Field(
        (),
        description="Addresses or networks (`10.1.2.0/24`) that may send, with commas between "
        "them. Default: any that reaches the listener.",
    )
    receive_associations: int = Field(
        32, ge=1, le=256, description="Most DICOM associations at a time."
    )
    receive_megabytes: int = Field(
        512, ge=1, le=A_TEBIBYTE, description="Most megabytes of one image sent by DICOM."
    )
    receive_tls_certificate: OptionalFile = Field(
        None,
        description="Certificate (PEM, with its chain) of the DICOM listener. Default: no TLS.",
    )
    receive_tls_key: OptionalFile = Field(
        None, description="Private key of that certificate (PEM)."
    )
    receive_tls_ca: OptionalFile = Field(
        None,
        description="CA (PEM) that must have signed the senders' certificates. "
        "Default: senders show none.",
    )
