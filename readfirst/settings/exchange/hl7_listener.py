"""Settings of the HL7 listener."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import NoDecode

from readfirst.settings.fields import (
    A_DAY,
    Host,
    MustBe,
    Networks,
    OptionalFile,
    SettingsGroup,
    each,
    split_at_commas,
)


def check_priority(text: str) -> None:
    """Raises ValueError unless it is one word, as HL7 and DICOM have them."""
    if not text.isalnum():
        raise ValueError("no priority")


Priorities = Annotated[
    tuple[str, ...],
    NoDecode,
    BeforeValidator(split_at_commas),
    AfterValidator(each(check_priority)),
    MustBe("codes of priorities, with commas between them, as S,STAT,A,ASAP"),
]


class Hl7ListenerSettings(SettingsGroup):
    """The HL7 listener: its address, its limits, who may send, and how orders are read."""

    hl7_port: int | None = Field(
        None,
        ge=0,
        le=65535,
        description="Port of the HL7 listener (MLLP), which `readfirst up` then starts; 0 takes "
        "a free one. Default: no listener.",
    )
    hl7_host: Host = Field(
        "127.0.0.1",
        description="Address on which the HL7 listener listens. Off loopback, set "
        "`READFIRST_HL7_PEERS` to those who may send.",
    )
    hl7_peers: Networks = Field(
        (),
        description="Addresses or networks (`10.1.2.0/24`) that may send HL7 messages, with commas "
        "between them. Default: any that reaches the listener.",
    )
    hl7_connections: int = Field(
        16, ge=1, le=256, description="Most connections to the HL7 listener at a time."
    )
    hl7_kilobytes: int = Field(
        1024, ge=1, le=65536, description="Most kilobytes of one HL7 message."
    )
    hl7_seconds: float = Field(
        30.0,
        ge=0.1,
        le=A_DAY,
        description="Seconds that an HL7 message may take to arrive, from its first byte.",
    )
    hl7_tls_certificate: OptionalFile = Field(
        None,
        description="Certificate (PEM, with its chain) of the HL7 listener. Default: no TLS.",
    )
    hl7_tls_key: OptionalFile = Field(None, description="Private key of that certificate (PEM).")
    hl7_tls_ca: OptionalFile = Field(
        None,
        description="CA (PEM) that must have signed the certificates of those who send HL7 "
        "messages. Default: they show none.",
    )
    hl7_accession: Literal["accession", "placer", "filler"] = Field(
        "accession",
        description="What stands for the accession number of an order or a report that names none "
        "(OBR-18, IPC-1): nothing, or its placer or filler order number.",
    )
    hl7_urgent: Priorities = Field(
        ("S", "STAT", "A", "ASAP"),
        description="Priorities of orders that raise a study to STAT, with commas between them.",
    )
    hl7_keep_days: float = Field(
        90.0,
        ge=1,
        le=3660,
        description="Days for which HL7 messages that could not be read are kept, and for which a "
        "message that comes again is known.",
    )

    @property
    def urgent_priorities(self) -> frozenset[str]:
        """`hl7_urgent` in capitals, in which priorities are compared."""
        return frozenset(each.upper() for each in self.hl7_urgent)
