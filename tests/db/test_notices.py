"""What the ingester says of the inbox is there as long as it holds."""

from datetime import timedelta

from db.notices import inbox_notices, put_up
from db.session import Database
from readfirst.notices import Notice, NoticeCode
from tests.db.builders import NOW

LINK = Notice(NoticeCode.LINK, "ward/link")
SHUT = Notice(NoticeCode.NOT_READABLE, "a/film\n.dcm", "Permission denied")


def test_notices_come_stay_with_their_time_and_go(database: Database) -> None:
    later = NOW + timedelta(hours=1)
    with database.write() as session:
        assert put_up(session, {LINK}, NOW) == {LINK}
    with database.write() as session:
        assert put_up(session, {LINK, SHUT}, later) == {SHUT}
    with database.read() as session:
        shut, link = inbox_notices(session)
    assert (link.since, shut.since) == (NOW, later)
    assert shut.reason.endswith("(Permission denied)")
    with database.write() as session:
        assert put_up(session, {SHUT}, later) == set()
        assert [notice.code for notice in inbox_notices(session)] == ["not_readable"]
