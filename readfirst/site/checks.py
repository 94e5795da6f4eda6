"""The result of a check of the site, as `readfirst doctor` and the administrator's page say it."""

from dataclasses import dataclass

#: Words for the names of the checks, as the page has them.
CHECK_WORDS = {
    "settings": "Settings",
    "scope": "Scope",
    "home": "Home folder",
    "rights": "Rights of files",
    "inbox": "Inbox folder",
    "disk": "Disk",
    "database": "Database",
    "intake": "Intake",
    "work": "Work on films",
    "broker": "Queue (broker)",
    "reading": "Reading of files",
    "listener": "DICOM listener",
    "sources": "Fetching from a PACS",
    "hl7": "HL7 listener",
    "page": "Page and log-in",
    "messages": "Messages",
    "results": "Results to other systems",
    "weights": "Weights of the networks",
    "accepted": "Acceptance",
}


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The result of one check.

    advice: what to do, when it is not well. warning: what is odd, though nothing fails by it.
    """

    name: str
    well: bool
    found: str
    advice: str = ""
    warning: str = ""
