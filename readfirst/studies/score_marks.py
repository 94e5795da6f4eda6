"""Marks of a score, by what it says about itself: the networks disagree, or the film is unlike.

The rules are applied whenever a score is read, and never stored: a mark follows the threshold under
which the study is shown. They add to the marks of the image, which its header decides.
"""

from collections.abc import Callable, Iterable, Mapping

from readfirst.formatting import readable_probability
from readfirst.studies.marks import Mark, MarkCode, mark

#: The marks of a score. Where what the AI says is hidden, they are hidden with it.
OF_SCORES = frozenset({MarkCode.UNLIKE_VALIDATED, MarkCode.MEMBERS_DISAGREE})


def members_disagree(members: Iterable[float], threshold: float) -> bool:
    """Tell whether members lie on both sides of a threshold; one that reaches it is above.

    members: the probability by each network. Of one member this is never so.
    """
    return len({probability >= threshold for probability in members}) > 1


def score_marks(
    members: Mapping[str, float],
    threshold: float,
    unlike: bool | None,
    at_site: Callable[[float], float] = lambda probability: probability,
) -> tuple[Mark, ...]:
    """Return the marks of a score.

    members, threshold: as the ensemble states them. unlike: of its film; None where the ensemble
    cannot tell. at_site: states a probability as people at this site read it.
    """
    marks = [mark(MarkCode.UNLIKE_VALIDATED)] if unlike else []
    if members_disagree(members.values(), threshold):
        answers = (readable_probability(at_site(value)) for _, value in sorted(members.items()))
        marks.append(mark(MarkCode.MEMBERS_DISAGREE, ", ".join(answers)))
    return tuple(marks)


def outside_validation(marks: Iterable[Mark], unlike: bool | None) -> tuple[Mark, ...]:
    """Return why a film is outside what its ensemble was validated on; a doubt is no reason."""
    return (*marks, *([mark(MarkCode.UNLIKE_VALIDATED)] if unlike else ()))


def of_image(marks: Iterable[Mark]) -> tuple[Mark, ...]:
    """Return the marks that are of the image itself, and of no score."""
    return tuple(each for each in marks if each.code not in OF_SCORES)
