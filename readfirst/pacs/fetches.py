"""The states of a study that is fetched from a PACS, and why it is."""

from enum import StrEnum


class FetchState(StrEnum):
    """found → fetched or failed. Stored, so they never change."""

    FOUND = "found"
    FETCHED = "fetched"
    FAILED = "failed"


class FetchPurpose(StrEnum):
    """The reason to fetch a study; the first is the most urgent. Stored, so they never change."""

    POLL = "poll"
    PRIOR = "prior"
    BACKFILL = "backfill"
