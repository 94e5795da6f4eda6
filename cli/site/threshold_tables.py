"""The report of what a threshold would change, for a person at the terminal."""

from cli.common.console import out, print_table
from db.ensembles.threshold_report import ThresholdReport
from readfirst.statistics.operating_points import Interval
from readfirst.statistics.shares import Share
from readfirst.statistics.threshold_comparison import Comparison


def print_report(report: ThresholdReport) -> None:
    """Print the figures at both thresholds, and what would change, in sentences."""
    if report.reference is not None:
        _print_figures("On the reference: held-out films, read from bins", report.reference)
    if report.verdicts.sick or report.verdicts.healthy:
        _print_figures("On this site's verdicts", report.verdicts)
    for line in sentences(report):
        out().print(line)


def sentences(report: ThresholdReport) -> list[str]:
    """Say what would change, each number with its 95 % interval."""
    arrivals, verdicts = report.arrivals, report.verdicts
    lines = [
        f"Ensemble {report.ensemble_version}: threshold {report.current:.4f} (version "
        f"{report.current_version}) -> {report.proposed:.4f}."
    ]
    lines += _arrivals("more", arrivals.newly_flagged, arrivals.days)
    lines += _arrivals("fewer", arrivals.no_longer_flagged, arrivals.days)
    if not arrivals.studies:
        lines.append("The ensemble has scored no study of the last days.")
    lines += _of(verdicts.missed_then_flagged, "missed pneumonias would be flagged")
    lines += _of(verdicts.flagged_then_missed, "pneumonias that are flagged now would be missed")
    lines += _of(verdicts.alarms_ended, "false alarms would end")
    lines += _of(verdicts.alarms_begun, "healthy studies that are not flagged now would be")
    if not verdicts.sick and not verdicts.healthy:
        lines.append("No verdict tells of it: readers have judged no study that it has scored.")
    lines.append(
        f"Of the unread studies, {report.unread_newly_flagged} would be flagged and rise, and "
        f"{report.unread_no_longer_flagged} would lose their flag."
    )
    return lines


def _arrivals(word: str, change: Share, days: int) -> list[str]:
    if not change.hits or change.low is None or change.high is None:
        return []
    low, high = round(change.low * change.of), round(change.high * change.of)
    return [
        f"{change.hits} {word} flagged of the {change.of} studies of the last {days} days "
        f"(95 % interval {low} to {high})."
    ]


def _of(change: Share, words: str) -> list[str]:
    return [f"{change.hits} of {change.of} {words} ({_share(change)})."] if change.hits else []


def _print_figures(title: str, compared: Comparison) -> None:
    now, then = compared.now, compared.then
    rows = [
        ("Sensitivity", _share(now.sensitivity), _share(then.sensitivity)),
        ("Specificity", _share(now.specificity), _share(then.specificity)),
        ("PPV among these", _share(now.ppv), _share(then.ppv)),
    ]
    if now.ppv_at_prevalence or then.ppv_at_prevalence:
        values = (_interval(now.ppv_at_prevalence), _interval(then.ppv_at_prevalence))
        rows.append(("PPV at the prevalence", *values))
    print_table(
        f"{title} ({compared.sick} pneumonia, {compared.healthy} not)",
        ("Figure", f"Now, {now.threshold:.4f}", f"Then, {then.threshold:.4f}"),
        rows,
    )


def _share(figure: Share) -> str:
    if figure.value is None or figure.low is None or figure.high is None:
        return "–"
    return _interval(Interval(figure.value, figure.low, figure.high))


def _interval(figure: Interval | None) -> str:
    if figure is None:
        return "–"
    return f"{100 * figure.value:.1f} % ({100 * figure.low:.1f} to {100 * figure.high:.1f})"
