"""Alerts to the lead: each kind, its meaning and its remedy. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from readfirst.language.texts import gettext
from readfirst.statistics.shares import share

#: Fewer refusals of one code in a day are nothing.
LEAST_REFUSALS = 5
#: As many times as usual.
JUMP = 2.0
#: Where so many films are usual, none comes by chance once in a thousand times (Poisson: e^-7).
LEAST_EXPECTED = 7.0


class AlertKind(StrEnum):
    """Stored and exported, so a value is never renamed."""

    DRIFT = "drift"
    REFUSALS_JUMPED = "refusals_jumped"
    NO_FILMS = "no_films"
    PPV_LOW = "ppv_low"


MEANINGS = {
    AlertKind.DRIFT: "The incoming images have changed.",
    AlertKind.REFUSALS_JUMPED: "Far more images than usual were rejected in 24 hours.",
    AlertKind.NO_FILMS: "No film comes in at a time when many usually do.",
    AlertKind.PPV_LOW: "Readers confirm too few of the flagged studies.",
}
REMEDIES = {
    AlertKind.DRIFT: (
        "Find scanner and week under Drift, and ask what changed there: processing, detector, "
        "protocol or patients. Until it is known, rely less on the scores of that scanner."
    ),
    AlertKind.REFUSALS_JUMPED: (
        "Look at them under Not scored, or with `readfirst refused --code {about}`. Fix the "
        "sender. Then try them again, there or with `readfirst retry --code {about}`."
    ),
    AlertKind.NO_FILMS: (
        "Ask `readfirst doctor` and `readfirst inbox`; then look at the route from the scanners."
    ),
    AlertKind.PPV_LOW: (
        "Look at the studies of which readers say no pneumonia, for what they share. An earlier "
        "ensemble can be made the active one again with `readfirst models promote`."
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """Something that holds now. about: of what among its kind, as a code. detail: a sentence.

    value, bound: what was found, and from where on it is an alert.
    """

    kind: AlertKind
    about: str
    value: float
    bound: float
    detail: str


def remedy(kind: AlertKind, about: str) -> str:
    """Say what to do. about: as of an `Alert`; commands name it."""
    return gettext(REMEDIES[kind]).format(about=about)


def refusals_jumped(
    code: str, *, lately: tuple[int, int], usually: tuple[int, int]
) -> Alert | None:
    """The alert where a code's refusals have jumped. lately, usually: refused, and images in all.

    The whole interval of the last day must lie above twice the usual share.
    """
    now, before = share(*lately), share(*usually)
    if before.value is None or now.low is None or now.value is None:
        return None
    bound = JUMP * before.value
    if lately[0] < LEAST_REFUSALS or now.low <= max(bound, before.high or 0):
        return None
    return Alert(
        kind=AlertKind.REFUSALS_JUMPED,
        about=code,
        value=now.value,
        bound=bound,
        detail=f"{lately[0]} of {lately[1]} images of the last 24 hours were refused as {code}, "
        f"{100 * now.value:.0f} %; usual are {100 * before.value:.1f} %.",
    )


def no_films(hours: float, weeks_before: Sequence[int]) -> Alert | None:
    """The alert where films are missing. hours: since the last one.

    weeks_before: how many came in the same hours of each of the weeks before; a week without any,
    as of a holiday, says that none may be usual.
    """
    if not weeks_before or min(weeks_before) == 0:
        return None
    expected = sum(weeks_before) / len(weeks_before)
    if expected < LEAST_EXPECTED:
        return None
    return Alert(
        kind=AlertKind.NO_FILMS,
        about="",
        value=expected,
        bound=LEAST_EXPECTED,
        detail=f"None for {hours:.1f} hours; in the same hours of the weeks before, "
        f"{math.floor(expected)} came on average.",
    )


def ppv_low(version: str, confirmed: int, flagged: int, least: float) -> Alert | None:
    """The alert where readers confirm too few: the whole interval lies below the bound."""
    ppv = share(confirmed, flagged)
    if ppv.value is None or ppv.high is None or ppv.high >= least:
        return None
    return Alert(
        kind=AlertKind.PPV_LOW,
        about=version,
        value=ppv.value,
        bound=least,
        detail=f"{confirmed} of {flagged} flagged studies with a verdict are confirmed, "
        f"{100 * ppv.value:.0f} % (at most {100 * ppv.high:.0f} %); "
        f"{100 * least:.0f} % are wanted.",
    )
