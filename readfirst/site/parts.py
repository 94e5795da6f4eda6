"""The parts of a running ReadFirst, each of them one or more processes."""

from enum import StrEnum


class Part(StrEnum):
    """The parts. Their values are stored: none ever changes."""

    PAGE = "page"
    INGESTER = "ingester"
    LISTENER = "listener"
    HL7_LISTENER = "hl7_listener"
    PREPARE = "prepare"
    SCORE = "score"
    CLOCK = "clock"

    @property
    def words(self) -> str:
        """The name for people."""
        return WORDS[self]


WORDS = {
    Part.PAGE: "Page and API",
    Part.INGESTER: "Ingester (inbox)",
    Part.LISTENER: "DICOM listener",
    Part.HL7_LISTENER: "HL7 listener",
    Part.PREPARE: "Worker: prepare",
    Part.SCORE: "Worker: score",
    Part.CLOCK: "Clock (beat)",
}
