"""The queries of the list: as many for many studies as for one, and of no more than is shown."""

import re
from datetime import timedelta
from zoneinfo import ZoneInfo

from db.access.audit import Actor, AuditAction, entries, note
from db.lifecycle.rescoring import rank_by_mode, rank_by_threshold
from db.monitoring.figures import FIGURES
from db.monitoring.kept_days import MonitoringData, keep_days
from db.monitoring.totals import totals
from db.session import Database
from db.tables import EnsembleVersion
from db.worklist.queries import reading_order
from readfirst.domain import ImageState
from readfirst.monitoring.config import monitoring_config
from readfirst.monitoring.period import Period
from readfirst.settings import Settings
from tests.support.statements import statements
from tests.support.studies import AS_STORED, NOW, a_scored_image, unit_at


def test_the_list_sends_as_many_queries_for_many_studies_as_for_one(database: Database) -> None:
    counts = []
    for number in range(3):
        with database.write() as session:
            a_scored_image(session, NOW + timedelta(hours=number), probability=0.9)
        with database.read() as session, statements(session.connection()) as sent:
            assert len(reading_order(session, limit=10, display=AS_STORED)) == number + 1
        counts.append(len(sent))
    assert len(set(counts)) == 1


def test_the_list_loads_no_more_than_it_shows(database: Database) -> None:
    with database.write() as session:
        a_scored_image(session, NOW, probability=0.9)
    with database.read() as session, statements(session.connection()) as sent:
        reading_order(session, limit=10, display=AS_STORED)
    loaded = " ".join(statement.split("FROM")[0] for statement in sent)
    # The films that an ensemble was tried on, in each row; a text of all that can be searched for.
    for column in ("ensembles.reference", "studies.search_text", "arrivals.claim_id"):
        assert column not in loaded


def test_what_is_counted_behind_the_kept_days_is_read_from_an_index(database: Database) -> None:
    with database.write() as session:
        for number in range(3):
            a_scored_image(session, NOW + timedelta(days=number), probability=0.9)
    keep_days(database, ZoneInfo("UTC"), NOW + timedelta(days=2), most=9)
    with database.read() as session, statements(session.connection()) as sent:
        counts = totals(session).counts
        assert (counts.studies, counts.images[ImageState.SCORED]) == (3, 3)
    films = [each for each in sent if "FROM images" in each and "GROUP BY images.code" in each]
    # Before the first kept day, and behind the last one.
    assert len(films) == 2
    if database.engine.dialect.name == "sqlite":
        with database.engine.connect() as connection:
            for each in films:
                explain = f"EXPLAIN QUERY PLAN {each.replace('?', repr(str(NOW.date())))}"
                (step, *_) = connection.exec_driver_sql(explain)
                assert "SEARCH images USING INDEX ix_images_received_at" in step.detail


def test_a_figure_reads_its_own_tables_of_the_kept_days(database: Database) -> None:
    day = Period(NOW.date(), NOW.date(), ZoneInfo("UTC"))
    with database.write() as session:
        a_scored_image(session, NOW, probability=0.9)
    keep_days(database, day.zone, NOW + timedelta(days=2), most=9)
    tables = {"refusals": ("films",), "times": ("films", "studies"), "calibration": ("opinions",)}
    for figure, names in tables.items():
        with database.read() as session, statements(session.connection()) as sent:
            FIGURES[figure].rows(MonitoringData(session), day, monitoring_config(Settings()))
        kept = [each for each in sent if "FROM kept_days" in each]
        assert len(kept) == len(names)
        for statement, name in zip(kept, names, strict=True):
            columns = re.findall(r"kept_days\.(\w+)", statement.split("FROM")[0])
            assert columns == ["day", name]


def test_a_line_of_the_audit_log_is_one_statement(database: Database) -> None:
    with database.write() as session, statements(session.connection()) as sent:
        note(session, Actor("ann", None), AuditAction.LIST_VIEWED, NOW, studies=["1.2"])
    assert [statement.split()[0] for statement in sent] == ["INSERT"]
    with database.read() as session:
        (line,) = entries(session, limit=9)
    assert (line.at, line.account, line.detail) == (NOW, "ann", {"studies": ["1.2"]})


def test_the_sweep_looks_for_unread_studies_by_their_indexes(database: Database) -> None:
    with database.write() as session:
        a_scored_image(session, NOW, probability=0.9)
        unit = unit_at(session)
        ensemble = session.get_one(EnsembleVersion, "1")
        with statements(session.connection()) as sent:
            rank_by_threshold(unit, ensemble, limit=9)
            rank_by_mode(unit, limit=9)
    by_threshold = next(each for each in sent if "studies.threshold_change <" in each)
    by_mode = next(each for each in sent if "studies.reading_key" in each.split("WHERE")[1])
    if database.engine.dialect.name != "sqlite":
        return
    with database.engine.connect() as connection:
        for each, index in (
            (by_threshold, "ix_studies_threshold_change"),
            (by_mode, "ix_studies_unread_flagged"),
        ):
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {each.replace('?', '1')}")
            assert any(index in step.detail for step in plan), (each, index)
