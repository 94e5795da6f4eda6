"""Volumes, refusals and times, as plots. Pure."""

from collections import Counter
from collections.abc import Sequence
from datetime import date

from db.monitoring.times import Times
from db.monitoring.volumes import RefusalCount, Volume
from readfirst.formatting import readable_share
from readfirst.language.formats import moment_text, number_text
from readfirst.language.texts import gettext, ngettext, pgettext
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
from worklist.pages.monitoring.ensembles import ensembles_note
from worklist.pages.monitoring.links import StudyLink, of_buckets, of_period

#: Codes that have a colour of their own; the others share one.
CODE_COLOURS = ("link", "plot-2", "plot-3", "plot-4")
#: Codes whose studies are a link away.
MOST_CODES = 8


def date_label(first: date, last: date) -> str:
    """The label of a day or a week on the x axis."""
    texts = dict.fromkeys(moment_text(day, "short_day") for day in (first, last))
    return " – ".join(texts)


def date_labels(period: Period) -> tuple[str, ...]:
    """The labels of a period."""
    return tuple(date_label(bucket.first, bucket.last) for bucket in period.time_buckets)


def volume_chart(rows: Sequence[Volume], period: Period) -> Chart:
    """Images by what became of them."""
    studies = sum(row.studies for row in rows)
    return Chart(
        id="volumes",
        title=ngettext(
            "{number} study came in, {rate} a day",
            "{number} studies came in, {rate} a day",
            studies,
        ).format(number=number_text(studies), rate=number_text(studies / period.days)),
        kind=Kind.STACKED,
        unit=Unit.COUNT,
        x_label=_by(period),
        y_label=gettext("Images"),
        places=date_labels(period),
        addresses=of_buckets(period.time_buckets),
        series=(
            Series(label=gettext("Scored"), colour="link", values=column(rows, "scored")),
            Series(label=gettext("Not scored"), colour="plot-3", values=column(rows, "refused")),
            Series(label=gettext("In work"), colour="soft", values=column(rows, "in_work")),
            Series(label=gettext("Set aside"), colour="line", values=column(rows, "set_aside")),
        ),
        csv="volumes",
        links=(StudyLink(gettext("All studies"), of_period(period)),),
    )


def flagged_chart(rows: Sequence[Volume], period: Period, *, hides_ai: bool) -> Chart:
    """The share of the studies with a score that is flagged.

    hides_ai: what the AI says of studies without a verdict is told to nobody.
    """
    flagged = {"flagged": True, "show": Show.READ if hides_ai else Show.ALL}
    whole = share(sum(row.flagged for row in rows), sum(row.studies_scored for row in rows))
    title = gettext("No study has a score")
    if whole.value is not None:
        text = gettext("{share} of scored studies are flagged")
        title = text.format(share=readable_share(whole.value))
    return Chart(
        id="flagged",
        title=title,
        note=_reach(interval(whole.low, whole.high)) + ensembles_note(rows) + _thresholds(rows),
        kind=Kind.LINES,
        unit=Unit.SHARE,
        x_label=_by(period),
        y_label=gettext("Flagged"),
        places=date_labels(period),
        addresses=of_buckets(period.time_buckets, **flagged),
        series=(
            Series(
                label=gettext("Flagged"),
                colour="flag",
                values=column(rows, "flagged_share"),
                low=column(rows, "flagged_low"),
                high=column(rows, "flagged_high"),
            ),
        ),
        csv="volumes",
        links=(StudyLink(gettext("Flagged studies"), of_period(period, **flagged)),),
    )


def _thresholds(rows: Sequence[Volume]) -> str:
    """Say that studies are flagged by more than one threshold; else nothing."""
    versions = {
        version for row in rows for version in row.threshold_versions.split(", ") if version
    }
    if len(versions) < 2:
        return ""
    text = gettext("By thresholds {versions}: the threshold was changed.")
    return " " + text.format(versions=", ".join(sorted(versions, key=int)))


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
        series.append(
            Series(
                label=pgettext("codes", "others"), colour="soft", values=_of(rows, others, period)
            )
        )
    images = sum(row.images for row in volumes)
    title = gettext("Nothing was refused")
    if codes and images:
        text = gettext("{share} of images are not scored")
        title = text.format(share=readable_share(codes.total() / images))
    return Chart(
        id="refusals",
        title=title,
        note=ensembles_note(rows).strip(),
        kind=Kind.STACKED,
        unit=Unit.COUNT,
        x_label=_by(period),
        y_label=gettext("Images"),
        places=date_labels(period),
        addresses=of_buckets(period.time_buckets, refused=True),
        series=tuple(series),
        csv="refusals",
        links=tuple(
            StudyLink(f"{code} {number_text(images)}", of_period(period, code=code))
            for code, images in codes.most_common(MOST_CODES)
        ),
    )


def worklist_chart(rows: Sequence[Times], period: Period) -> Chart:
    """From arrival to the worklist."""
    whole, by_day = _whole(rows, "worklist", "all"), _by_day(rows, "worklist", "all", period)
    title = gettext("No film was scored")
    if whole is not None and whole.p50 is not None and whole.p95 is not None:
        text = gettext("Half are scored within {half}, 95 % within {most}")
        title = text.format(half=seconds(whole.p50), most=seconds(whole.p95))
    note = ""
    if whole and whole.p99 is not None:
        note = gettext("99 % within {time}.").format(time=seconds(whole.p99))
    return Chart(
        id="to-worklist",
        title=title,
        note=note + ensembles_note([whole] if whole else []),
        kind=Kind.LINES,
        unit=Unit.SECONDS,
        x_label=_by(period),
        y_label=gettext("From arrival to the first score"),
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
    links = [StudyLink(gettext("Not read"), unread)]
    if not hides_ai:
        unread_flagged = of_period(period, show=Show.UNREAD, flagged=True)
        links.insert(0, StudyLink(gettext("Flagged, not read"), unread_flagged))
    flagged, others = (_whole(rows, "read", kind) for kind in ("flagged", "not_flagged"))
    series = [
        Series(
            label=f"{words}, {quantile}",
            colour=colour,
            values=_by_day(rows, "read", kind, period)[quantile],
            dashed=quantile == "p95",
        )
        for kind, words, colour in (
            ("flagged", gettext("flagged"), "flag"),
            ("not_flagged", pgettext("studies", "others"), "link"),
        )
        for quantile in ("p50", "p95")
    ]
    return Chart(
        id="to-read",
        title=_sooner(flagged, others),
        note=(
            _open(_whole(rows, "read", "all"))
            + ensembles_note(row for row in (flagged, others) if row is not None)
        ).strip(),
        kind=Kind.LINES,
        unit=Unit.SECONDS,
        x_label=_by(period),
        y_label=gettext("From arrival to read"),
        places=date_labels(period),
        addresses=of_buckets(period.time_buckets),
        series=tuple(series),
        csv="times",
        links=tuple(links),
        logarithmic=True,
    )


def _sooner(flagged: Times | None, others: Times | None) -> str:
    read = [
        text.format(time=seconds(times.p50))
        for text, times in (
            (gettext("flagged studies after {time}"), flagged),
            (gettext("others after {time}"), others),
        )
        if times is not None and times.p50 is not None
    ]
    if not read:
        return gettext("No study was read")
    return gettext("Half are read: {times}").format(times=", ".join(read))


def _open(times: Times | None) -> str:
    if times is None or not times.open:
        return ""
    text = gettext("{open} of {all} are not read yet, and not counted.")
    return text.format(open=number_text(times.open), all=number_text(times.open + times.done))


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
    text = gettext("95 % interval {interval}.")
    return text.format(interval=interval_text) if interval_text else ""


def _by(period: Period) -> str:
    return gettext("Day") if period.by == "day" else gettext("Week")
