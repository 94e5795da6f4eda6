"""The result of a check of the site, as `readfirst doctor` and the administrator's page say it."""

from dataclasses import dataclass


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
