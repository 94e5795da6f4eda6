"""Days and moments that people and programs write."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from readfirst.calendar import parse_day, parse_moment
from readfirst.formatting import age_at, readable_age


def test_days() -> None:
    assert parse_day("2026-01-31") == parse_day("20260131") == date(2026, 1, 31)


@pytest.mark.parametrize(
    "written",
    ["2026-W05-6", "2026W056", "2026-031", "2026-1-31", "2026-0131", "202601", "2026-02-30", "",
     " 2026-01-31", "٢٠٢٦-٠١-٣١", "2026-01-31T08:00"],
)  # fmt: skip
def test_what_is_no_day(written: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - of the parser or ours, both are caught
        parse_day(written)


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2026-01-31", datetime(2026, 1, 31)),
        ("2026-01-31T08:30", datetime(2026, 1, 31, 8, 30)),
        ("2026-01-31 08:30:05.5", datetime(2026, 1, 31, 8, 30, 5, 500000)),
        ("2026-01-31T08:30Z", datetime(2026, 1, 31, 8, 30, tzinfo=UTC)),
        (
            "2026-01-31T08:30+01:00",
            datetime(2026, 1, 31, 8, 30, tzinfo=timezone(timedelta(hours=1))),
        ),
    ],
)
def test_moments(written: str, moment: datetime) -> None:
    assert parse_moment(written) == moment


@pytest.mark.parametrize(
    "written", ["2026-W05-6T08:30", "2026-01-31x08:30", "2026-01-31T8:30", "1700000000", "now"]
)
def test_what_is_no_moment(written: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - as above
        parse_moment(written)


def test_an_age_that_nobody_can_have_is_not_shown() -> None:
    at = datetime(2026, 1, 12)
    assert age_at(date(2021, 10, 5), at) == "004Y"
    assert age_at(date(1900, 1, 1), at) is None
    assert age_at(date(2027, 1, 1), at) is None
    assert readable_age("²²Y") == "²²Y"
