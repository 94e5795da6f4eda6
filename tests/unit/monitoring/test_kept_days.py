"""Days that are over are counted once, and anew as soon as something of them changes."""

import threading
from collections import Counter
from dataclasses import astuple, replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, func, select
from sqlalchemy.exc import DBAPIError

from benchmarks.synthetic_history import Weeks, fill_weeks
from db.kept_days import SETTLING, exclude_changes
from db.lifecycle.unit_of_work import unit_of_work
from db.lifecycle.verdicts import VerdictInput
from db.migrate import upgrade
from db.monitoring.columns import (
    NAMED,
    NONE,
    TABLES,
    Columns,
    from_bytes,
    joined,
    of_days,
    to_bytes,
)
from db.monitoring.figures import FIGURES
from db.monitoring.kept_days import MonitoringData, keep_days
from db.monitoring.load_columns import load_columns
from db.monitoring.totals import totals
from db.session import Database, open_database
from db.tables import Image, KeptDay, Score, Study, Verdict
from db.worklist.queries import counts
from db.worklist.refused import refused_counts
from readfirst.errors import Refused
from readfirst.monitoring.period import Period, make_period
from readfirst.refusals import RefusalCode
from readfirst.studies.findings import Finding
from tests.fixtures.monitoring import CONFIG, MADRID, NOW
from tests.support.filled_databases import FilledOnce
from tests.support.studies import (
    POLICY,
    a_ready_image,
    a_scored_image,
    an_ensemble,
    an_image,
    give_verdict,
    score_ready,
)

WEEKS = Weeks(first=date(2026, 1, 12), days=49, per_day=20, zone=MADRID)
_weeks = FilledOnce(lambda database: fill_weeks(database, WEEKS))
WHOLE = make_period(WEEKS.first, date(2026, 3, 2), NOW, MADRID)


def kept(database: Database) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(KeptDay)) or 0


def figures(database: Database, period: Period = WHOLE) -> dict[str, Any]:
    with database.read() as session:
        data = MonitoringData(session)
        return {name: list(each.rows(data, period, CONFIG)) for name, each in FIGURES.items()}


def check_same(database: Database, period: Period = WHOLE) -> None:
    """Compare the figures with kept days to those that are counted anew."""
    with_kept = figures(database, period)
    with database.write() as session:
        rows = session.scalars(select(KeptDay)).all()
        for row in rows:
            session.delete(row)
    anew = figures(database, period)
    for name in FIGURES:
        assert list(map(rounded, with_kept[name])) == list(map(rounded, anew[name])), name


def rounded(row: Any) -> list[Any]:
    """Sums of floats differ a little by the order of the rows."""
    return [round(value, 9) if isinstance(value, float) else value for value in astuple(row)]


def test_kept_days_give_the_figures_that_counting_anew_gives(database: Database) -> None:
    _weeks.into(database)
    assert keep_days(database, MADRID, NOW, 400) == 49
    assert keep_days(database, MADRID, NOW, 400) == 0
    check_same(database)


def test_a_day_can_be_made_anew_for_ever_since_no_row_that_it_counts_can_be_removed(
    database: Database,
) -> None:
    with database.write() as session:
        an_ensemble(session)
        a_scored_image(session, probability=0.9, study="1.1")
        give_verdict(session, "1.1", VerdictInput(finding=Finding.PNEUMONIA))
        # Its events alone are of it.
        refused = an_image(session, refusal=Refused(RefusalCode.TRUNCATED))
    for statement in (
        delete(Verdict),
        delete(Score),
        delete(Image).where(Image.id == refused.id),
        delete(Study).where(Study.id == refused.study_id),
    ):
        refusal = r"append-only|foreign key|FOREIGN KEY"
        with pytest.raises(DBAPIError, match=refusal), database.write() as session:
            session.execute(statement)
    with database.read() as session:
        assert counts(session).studies == 2


def test_a_part_of_a_period_that_was_read_has_the_figures_of_one_that_is_read_alone(
    database: Database,
) -> None:
    _weeks.into(database)
    part = make_period(date(2026, 1, 20), date(2026, 2, 3), NOW, MADRID)
    with database.read() as session:
        data = MonitoringData(session)
        for name in TABLES:
            data.columns(name, WHOLE)
        parts = {name: list(each.rows(data, part, CONFIG)) for name, each in FIGURES.items()}
    alone = figures(database, part)
    for name in FIGURES:
        assert list(map(rounded, parts[name])) == list(map(rounded, alone[name])), name


def test_rows_lie_in_the_order_of_their_days_where_some_days_are_kept_and_others_not(
    database: Database,
) -> None:
    _weeks.into(database)
    keep_days(database, MADRID, NOW, 400)
    with database.write() as session:
        for row in session.scalars(select(KeptDay).where(KeptDay.day != WEEKS.first)):
            if row.day.day % 3:
                session.delete(row)
    with database.read() as session:
        data = MonitoringData(session)
        tables = {name: data.columns(name, WHOLE) for name in TABLES}
    for name, table in tables.items():
        assert len(table), name
        assert (np.diff(table["day"]) >= 0).all(), name
    check_same(database)


def test_a_week_of_a_long_period_has_the_figures_of_the_week_alone(database: Database) -> None:
    _weeks.into(database)
    keep_days(database, MADRID, NOW, 20)
    long = make_period(date(2025, 10, 1), WHOLE.last, NOW, MADRID)
    assert long.by == "week"
    whole = figures(database, long)
    weeks = [row for row in whole["volumes"] if row.images]
    assert len(weeks) == 7
    for week in weeks:
        alone = figures(database, make_period(week.first, week.last, NOW, MADRID))
        for count in ("images", "scored", "refused", "set_aside", "studies", "flagged"):
            assert getattr(week, count) == sum(getattr(day, count) for day in alone["volumes"])
        for name in ("times", "verdicts"):
            of_week = [row for row in whole[name] if row.first == week.first and row.span == "week"]
            rows = {replace(row, span="week") for row in alone[name] if row.span == "period"}
            assert of_week
            assert set(of_week) <= rows, name
        codes: Counter[str] = Counter()
        for row in alone["refusals"]:
            codes[row.code] += row.images
        assert codes == {
            row.code: row.images for row in whole["refusals"] if row.first == week.first
        }


def test_the_latest_days_are_kept_first_and_at_most_so_many(database: Database) -> None:
    _weeks.into(database)
    assert keep_days(database, MADRID, NOW, 3) == 3
    with database.read() as session:
        days = session.scalars(select(KeptDay.day).order_by(KeptDay.day)).all()
    assert days == [date(2026, 2, 27), date(2026, 2, 28), date(2026, 3, 1)]
    check_same(database)


def test_totals_are_those_of_all_rows(database: Database) -> None:
    _weeks.into(database)
    for most in (0, 10, 400):
        keep_days(database, MADRID, NOW, most)
        with database.read() as session:
            sums = totals(session)
            numbers, refused = sums.counts, sums.refused
            assert numbers == counts(session)
            assert refused == refused_counts(session)


def test_a_day_is_kept_an_hour_after_its_end(database: Database) -> None:
    with database.write() as session:
        a_scored_image(session, datetime(2026, 3, 1, 12, tzinfo=MADRID), probability=0.9)
    midnight = datetime(2026, 3, 2, tzinfo=MADRID)
    assert keep_days(database, MADRID, midnight + SETTLING - timedelta(seconds=1), 9) == 0
    assert keep_days(database, MADRID, midnight + SETTLING, 9) == 1


def test_another_zone_has_other_days(database: Database) -> None:
    tokyo = ZoneInfo("Asia/Tokyo")
    _weeks.into(database)
    keep_days(database, MADRID, NOW, 400)
    period = make_period(WHOLE.first, WHOLE.last, NOW, tokyo)
    before = figures(database, period)
    assert keep_days(database, tokyo, NOW, 400) >= 49
    assert figures(database, period) == before
    with database.read() as session:
        assert set(session.scalars(select(KeptDay.zone))) == {"Asia/Tokyo"}
        assert totals(session).counts == counts(session)


AT = datetime(2026, 2, 18, 9, tzinfo=MADRID)


def verdict(database: Database) -> None:
    with database.write() as session:
        give_verdict(session, "1.1", VerdictInput(finding=Finding.NO_PNEUMONIA), at=NOW)


def rescored(database: Database) -> None:
    with database.write() as session:
        image = a_ready_image(session, NOW, study="1.1")
        session.flush()
        score_ready(session, NOW + timedelta(seconds=9), {image.id: 0.99})


def refused(database: Database) -> None:
    with database.write() as session:
        an_image(session, NOW, study="1.1", refusal=Refused(RefusalCode.ADULT))


@pytest.mark.parametrize("change", [verdict, rescored, refused])
def test_a_change_of_a_study_is_seen_on_the_day_of_its_arrival(
    change: Any, database: Database
) -> None:
    with database.write() as session:
        a_scored_image(session, AT, probability=0.8, study="1.1")
    keep_days(database, MADRID, NOW, 400)
    before = kept(database)
    change(database)
    assert kept(database) == before - 1
    check_same(database)


def test_no_day_is_made_from_what_another_transaction_is_changing(
    database: Database, database_url: str
) -> None:
    """On SQLite the second writer waits by itself; on PostgreSQL by the lock."""
    with database.write() as session:
        a_scored_image(session, AT, probability=0.8, study="1.1")
    changed, waited = threading.Event(), threading.Event()

    def keep() -> None:
        changed.wait()
        keep_days(database, MADRID, NOW, 400)
        waited.set()

    keeper = threading.Thread(target=keep)
    keeper.start()
    with unit_of_work(database, POLICY, at=NOW) as unit:
        verdict = VerdictInput(finding=Finding.NO_PNEUMONIA)
        give_verdict(unit, "1.1", verdict, at=NOW)
        unit.write()
        changed.set()
        assert not waited.wait(0.5)
    keeper.join()
    check_same(database)


def test_a_change_waits_for_a_day_that_is_being_made(database: Database) -> None:
    with database.write() as session:
        a_scored_image(session, AT, probability=0.8, study="1.1")
    done = threading.Event()

    def change() -> None:
        verdict(database)
        done.set()

    changer = threading.Thread(target=change)
    with database.write() as session:
        exclude_changes(session)
        changer.start()
        assert not done.wait(0.5)
        assert session.scalar(select(Study.read_at)) is None
    changer.join()
    assert done.is_set()


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Columns]:
    database = open_database(f"sqlite:///{tmp_path_factory.mktemp('columns') / 'db'}")
    upgrade(database)
    _weeks.into(database)
    with database.read() as session:
        loaded = {name: load_columns(name, session, WHOLE) for name in TABLES}
    database.dispose()
    return loaded


@pytest.mark.parametrize("name", TABLES)
@given(days=st.lists(st.sampled_from(range(49)), unique=True, max_size=6))
def test_blocks_join_to_what_they_were_cut_from(
    name: str, days: list[int], tables: dict[str, Columns]
) -> None:
    """Names have other numbers in each block."""
    chosen = [WEEKS.first + timedelta(days=day) for day in days]
    blocks = [of_days(tables[name], day, day) for day in chosen]
    turned = [renamed(block, number) for number, block in enumerate(blocks)]
    dtype = TABLES[name]
    whole = joined(dtype, [from_bytes(dtype, to_bytes(block)) for block in turned])
    assert len(whole) == sum(map(len, blocks))
    for column in dtype.names or ():
        cut = np.concatenate([named(block, column) for block in blocks] or [np.zeros(0)])
        np.testing.assert_array_equal(named(whole, column), cut)


def named(columns: Columns, column: str) -> Any:
    """A column, with the names in place of their numbers."""
    if column not in NAMED:
        return columns[column]
    return np.array([*columns.names, None], dtype=object)[columns[column]]


def renamed(block: Columns, by: int) -> Columns:
    """The same block with its names in another order."""
    count = len(block.names)
    order = [(number + by) % count for number in range(count)]
    names = tuple(block.names[order.index(number)] for number in range(count))
    rows = block.rows.copy()
    for column in set(NAMED) & set(rows.dtype.names or ()):
        rows[column] = np.array([*order, NONE], dtype="<i2")[rows[column]]
    return Columns(names, rows)
