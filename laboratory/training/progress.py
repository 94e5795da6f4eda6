"""Progress of a training, told to whoever asked for it."""

from collections.abc import Callable

#: Called after each step: steps done and in all, and the figures so far by name.
ReportProgress = Callable[[int, int, dict[str, float]], None]


def silent(_done: int, _total: int, _figures: dict[str, float]) -> None:
    """Tell nobody."""


def share_of_all(report: ReportProgress, n: int, trainings: int) -> ReportProgress:
    """Return a report of the n-th of several trainings as a share of them all. n: from 0."""

    def share(done: int, total: int, figures: dict[str, float]) -> None:
        report(n * total + done, trainings * total, figures)

    return share
