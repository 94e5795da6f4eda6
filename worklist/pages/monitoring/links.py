"""The ways from a figure to the studies that it counts. Pure."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from db.monitoring.alerts import AlertRecord
from db.monitoring.scanners import EVERY_SCANNER, OTHER_SCANNERS
from readfirst.monitoring.alerts import AlertKind
from readfirst.monitoring.period import Period, TimeBucket
from readfirst.studies.findings import VerdictGroup
from worklist.pages.list.query import Show, WorklistQuery


@dataclass(frozen=True, slots=True)
class StudyLink:
    """A list of studies: what they are, in a few words, and the address of the list."""

    label: str
    address: str


def studies_address(first: date, last: date, **which: Any) -> str:
    """The list of the studies that came in on some days, both included, read or not.

    which: further fields of the list's query.
    """
    fields = {"show": Show.ALL, "first_day": first, "last_day": last} | which
    return WorklistQuery().address(**fields)


def of_period(period: Period, **which: Any) -> str:
    """The list of the studies of a period."""
    return studies_address(period.first, period.last, **which)


def of_buckets(buckets: tuple[TimeBucket, ...], **which: Any) -> tuple[str, ...]:
    """The list of the studies of each day or week."""
    return tuple(studies_address(bucket.first, bucket.last, **which) for bucket in buckets)


def of_scanner(period: Period, scanner: str) -> str:
    """The list of the studies of a scanner; of several, nothing."""
    if scanner in (EVERY_SCANNER, OTHER_SCANNERS):
        return ""
    return of_period(period, scanner=scanner)


def alert_address(alert: AlertRecord, period: Period) -> str:
    """The studies that an alert is about, or the part of the page; empty where there is none."""
    if alert.kind is AlertKind.REFUSALS_JUMPED:
        return of_period(period, code=alert.about)
    if alert.kind is AlertKind.PPV_LOW:
        group = VerdictGroup.FALSE_POSITIVE
        return of_period(period, agreement=group, ensemble=alert.about)
    if alert.kind is AlertKind.DRIFT:
        return f"/watching?tab=drift&from={period.first}&to={period.last}"
    return ""
