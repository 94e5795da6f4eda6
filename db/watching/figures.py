"""Every figure by its name, as page, API and command line ask for it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from db.watching.times import Times, times
from db.watching.volumes import Refusals, Volume, refusals, volumes
from readfirst.watching.period import Period


@dataclass(frozen=True, slots=True)
class Figure:
    """A table of figures. kind: of its rows. says: what it holds, in a sentence."""

    kind: type[Any]
    rows: Callable[[Session, Period], Sequence[Any]]
    says: str


FIGURES: dict[str, Figure] = {
    "volumes": Figure(
        Volume,
        volumes,
        "What came in by day or week, what became of it, and what share is flagged.",
    ),
    "refusals": Figure(Refusals, refusals, "What was not scored, by day or week and code."),
    "times": Figure(
        Times, times, "Times from arrival to the worklist and until read: p50, p95 and p99."
    ),
}
