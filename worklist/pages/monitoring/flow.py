"""Volumes, refusals and times, as plots. Pure."""

from collections import Counter
from collections.abc import Sequence
from datetime import date

from db.monitoring.times import Times
from db.monitoring.volumes import RefusalCount, Volume
from readfirst.formatting import readable_share
from readfirst.monitoring.period import Period
from readfirst.statistics.shares import share
from worklist.pages.list.query import Show
from worklist.pages.monitoring.charts import (
    Chart,
    Kind,
    Series,
    Unit,
    Values,
    column,
    interval,
    seconds,
)
from worklist.pages.monitoring.links import StudyLink, of_buckets, of_period

#: Codes that have a colour of their own; the others share one.
CODE_COLOURS = ("link", "plot-2", "plot-3", "plot-4")
#: Codes whose studies are a link away.
MOST_CODES = 8


def date_label(first: date, last: date) -> str:
    """The label of a day or a week on the x axis."""
    return f"{first:%-d %b}" if first == last else f"{first:%-d %b} – {last:%-d %b}"


def date_labels(period: Period) -> tuple[str, ...]:
    """The labels of a period."""
    return tuple(date_label(bucket.first, bucket.last) for bucket in period.time_buckets)


def volume_chart(rows: Sequence[Volume], period: Period) -> Chart:
    """Images by what became of them."""
    studies = sum(row.studies for row in rows)
    return Chart(
        id="volumes",
        title=f"{studies:,} studies came in, {studies / period.days:,.0f} a day",
        kind=Kind.STACKED,
        unit=Unit.COUNT,
        x_label=period.by.capitalize(),
        y_label="Images",
        places=date_labels(period),
        addresses=of_buckets(period.time_buckets),
        series=(
            Series(label="Scored", colour="link", values=column(rows, "scored")),
            Series(label="Not scored", colour="plot-3", values=column(rows, "refused")),
            Series(label="In work", colour="soft", values=column(rows, "in_work")),
            Series(label="Set aside", colour="line", values=column(rows, "set_aside")),
        ),
        csv="volumes",
        links=(StudyLink("All studies", of_period(period)),),
    )


def flagged_chart(rows: Sequence[Volume], period: Period, *, hides_ai: bool) -> Chart:
    """The share of the studies with a score that is flagged.

    hides_ai: what the AI says of studies without a verdict is told to nobody.
    """
    flagged = {"flagged": True, "show": Show.READ if hides_ai else Show.ALL}
    whole = share(sum(row.flagged for row in rows), sum(row.studies_scored for row in rows))
    title = "No study has a score"
    if whole.value is not None:
        title = f"{readable_share(whole.value)} of scored studies are flagged"
    return Chart(
        id="flagged",
        title=title,
        note=_reach(interval(whole.low, whole.high)) + _thresholds(rows),
        kind=Kind.LINES,
        unit=Unit.SHARE,
        x_label=period.by.capitalize(),
        y_label="Flagged",
        places=date_labels(period),
        addresses=of_buckets(period.time_buckets, **flagged),
        series=(
            Series(
                label="Flagged",
                colour="flag",
                values=column(rows, "flagged_share"),
                low=column(rows, "flagged_low"),
                high=column(rows, "flagged_high"),
            ),
        ),
        csv="volumes",
        links=(StudyLink("Flagged studies", of_period(period, **flagged)),),
    )


def _thresholds(rows: Sequence[Volume]) -> str:
    """Say that studies are flagged by more than one threshold; else nothing."""
    versions = {
        version for row in rows for version in row.threshold_versions.split(", ") if version
    }
    if len(versions) < 2:
        return ""
    return f" By thresholds {', '.join(sorted(versions, key=int))}: the threshold was changed."


def refusal_chart(rows: Sequence[RefusalCount], volumes: Sequence[Volume], period: Period) -> Chart:
    """Images that were refused, by code; the rarest codes together."""
    codes: Counter[str] = Counter()
    for row in rows:
        codes[row.code] += row.images
    named = [code for code, _ in codes.most_common(len(CODE_COLOURS))]
    series = [
        Series(label=code, colour=colour, values=_of(rows, {code}, period))
        for code, colour in zip(named, CODE_COLOURS, strict=False)
    ]
    others = set(codes) - set(named)
    if others:
        series.append(Series(label="others", colour="soft", values=_of(rows, others, period)))
    images = sum(row.images for row in volumes)
    title = "Nothing was refused"
    if codes and images:
        title = f"{readable_share(codes.total() / images)} of images are not scored"
    return Chart(
        id="refusals",
        title=title,
        kind=Kind.STACKED,
        unit=Unit.COUNT,
        x_label=period.by.capitalize(),
        y_label="Images",
        places=date_labels(period),
        addresses=of_buckets(period.time_buckets, refused=True),
        series=tuple(series),
        csv="refusals",
        links=tuple(
            StudyLink(f"{code} {images:,}", of_period(period, code=code))
            for code, images in codes.most_common(MOST_CODES)
        ),
    )


def worklist_chart(rows: Sequence[Times], period: Period) -> Chart:
    """From arrival to the worklist."""
    whole, by_day = _whole(rows, "worklist", "all"), _by_day(rows, "worklist", "all", period)
    title = "No film was scored"
    if whole is not None and whole.p50 is not None and whole.p95 is not None:
        title = f"Half are scored within {seconds(whole.p50)}, 95 % within {seconds(whole.p95)}"
    return Chart(
        id="to-worklist",
        title=title,
        note=f"99 % within {seconds(whole.p99)}." if whole and whole.p99 is not None else "",
        kind=Kind.LINES,
        unit=Unit.SECONDS,
        x_label=period.by.capitalize(),
        y_label="From arrival to the first score",
        places=date_labels(period),
        addresses=of_buckets(period.time_buckets),
        series=(
            Series(label="p50", colour="link", values=by_day["p50"]),
            Series(label="p95", colour="plot-2", values=by_day["p95"]),
            Series(label="p99", colour="plot-3", values=by_day["p99"], dashed=True),
        ),
        csv="times",
        logarithmic=True,
    )


def read_chart(rows: Sequence[Times], period: Period, *, hides_ai: bool) -> Chart:
    """From arrival to read, of flagged studies and of others. hides_ai: as above."""
    unread = of_period(period, show=Show.UNREAD)
    links = [StudyLink("Not read", unread)]
    if not hides_ai:
        unread_flagged = of_period(period, show=Show.UNREAD, flagged=True)
        links.insert(0, StudyLink("Flagged, not read", unread_flagged))
    flagged, others = (_whole(rows, "read", kind) for kind in ("flagged", "not_flagged"))
    series = [
        Series(
            label=f"{words}, {quantile}",
            colour=colour,
            values=_by_day(rows, "read", kind, period)[quantile],
            dashed=quantile == "p95",
        )
        for kind, words, colour in (
            ("flagged", "flagged", "flag"),
            ("not_flagged", "others", "link"),
        )
        for quantile in ("p50", "p95")
    ]
    return Chart(
        id="to-read",
        title=_sooner(flagged, others),
        note=_open(_whole(rows, "read", "all")),
        kind=Kind.LINES,
        unit=Unit.SECONDS,
        x_label=period.by.capitalize(),
        y_label="From arrival to read",
        places=date_labels(period),
        addresses=of_buckets(period.time_buckets),
        series=tuple(series),
        csv="times",
        links=tuple(links),
        logarithmic=True,
    )


def _sooner(flagged: Times | None, others: Times | None) -> str:
    read = [
        f"{words} after {seconds(times.p50)}"
        for words, times in (("flagged studies", flagged), ("others", others))
        if times is not None and times.p50 is not None
    ]
    return f"Half are read: {', '.join(read)}" if read else "No study was read"


def _open(times: Times | None) -> str:
    if times is None or not times.open:
        return ""
    return f"{times.open:,} of {times.open + times.done:,} are not read yet, and not counted."


def _whole(rows: Sequence[Times], step: str, studies: str) -> Times | None:
    meant = (row for row in rows if (row.span, row.step, row.studies) == ("period", step, studies))
    return next(meant, None)


def _by_day(rows: Sequence[Times], step: str, studies: str, period: Period) -> dict[str, Values]:
    by_first_day = {
        row.first: row
        for row in rows
        if row.span != "period" and (row.step, row.studies) == (step, studies)
    }
    days = [by_first_day.get(bucket.first) for bucket in period.time_buckets]
    return {
        name: tuple(None if row is None else getattr(row, name) for row in days)
        for name in ("p50", "p95", "p99")
    }


def _of(rows: Sequence[RefusalCount], codes: set[str], period: Period) -> Values:
    images: Counter[date] = Counter()
    for row in rows:
        if row.code in codes:
            images[row.first] += row.images
    return tuple(float(images[bucket.first]) for bucket in period.time_buckets)


def _reach(interval_text: str) -> str:
    return f"95 % interval {interval_text}." if interval_text else ""
