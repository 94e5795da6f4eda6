"""The states of an ensemble at a site."""

from enum import StrEnum


class EnsembleState(StrEnum):
    """Stored and exported, so a value is never renamed."""

    #: Known and checked; it has scored nothing that people see.
    CANDIDATE = "candidate"
    #: The one that scores.
    ACTIVE = "active"
    #: It scored before, or is not to score; it can become the active one again.
    RETIRED = "retired"
