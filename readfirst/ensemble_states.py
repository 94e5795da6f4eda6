"""The states of an ensemble at a site."""

from enum import StrEnum


class EnsembleState(StrEnum):
    """Stored and exported, so a value is never renamed."""

    #: Known and checked; it has scored nothing that people see.
    CANDIDATE = "candidate"
    #: It scores what the active one has scored, and nobody sees it but who compares them.
    SHADOW = "shadow"
    #: The one that scores.
    ACTIVE = "active"
    #: It scored before, or is not to score; it can become the active one again.
    RETIRED = "retired"
