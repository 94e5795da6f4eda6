"""The settings and the time that decide how a study is shown."""

from dataclasses import dataclass
from datetime import datetime

from readfirst.studies.priority import Overdue


@dataclass(frozen=True, slots=True, kw_only=True)
class DisplayContext:
    """The site's settings and the time, as far as they change what is shown of a study.

    Page, API and command line get theirs from `Settings.display`, so that all say the same.

    prevalence: share of pneumonia at this site, for which probabilities and thresholds are stated;
    None states them as the ensemble gave them. quiet_before: a study of which a file came in later
    is not complete; None if the time does not matter. overdue: what has waited for too long; None
    if that is not to be said. hides_ai: what the AI says of a study is kept from whoever looks
    until the study has a verdict. silent: it is kept from everybody, whatever verdict there is.
    """

    prevalence: float | None
    quiet_before: datetime | None
    overdue: Overdue | None
    hides_ai: bool = False
    silent: bool = False

    def hides(self, verdict_count: int) -> bool:
        """Tell whether what the AI says of a study with so many verdicts is hidden."""
        return self.silent or (self.hides_ai and verdict_count == 0)
