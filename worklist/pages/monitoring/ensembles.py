"""Notes that say by which ensemble versions a figure is: none mixes two without saying so. Pure."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from db.monitoring.drift import REFERENCE, REFUSALS, SCORES, Drift
from readfirst.language.texts import gettext


class SaysEnsembles(Protocol):
    """A row of a figure that says the ensemble versions that it is of."""

    @property
    def ensemble_versions(self) -> str:
        """As `1.0, 2.0`."""


def versions_of(rows: Iterable[SaysEnsembles]) -> list[str]:
    """The versions that rows are of."""
    return sorted({name for row in rows for name in row.ensemble_versions.split(", ") if name})


def ensembles_note(rows: Iterable[SaysEnsembles]) -> str:
    """Say that a figure is of more than one ensemble version; else nothing."""
    versions = versions_of(rows)
    if len(versions) < 2:
        return ""
    text = gettext("By ensembles {versions}: the ensemble was changed.")
    return " " + text.format(versions=", ".join(versions))


def drift_note(rows: Sequence[Drift], against: str) -> str:
    """Say of which ensemble the scores and the reference are, and by which films were refused."""
    meant = [row for row in rows if row.against == against]
    scores = versions_of(row for row in meant if row.subject == SCORES)
    refusals = versions_of(row for row in meant if row.subject == REFUSALS)
    notes = []
    if scores:
        text = gettext("Scores are of ensemble {version}.")
        if against == REFERENCE:
            text = gettext("Scores and reference are of ensemble {version}.")
        notes.append(text.format(version=", ".join(scores)))
    if len(refusals) > 1:
        text = gettext("Refusals are by ensembles {versions}.")
        notes.append(text.format(versions=", ".join(refusals)))
    return " ".join(notes)
