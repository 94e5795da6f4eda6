"""An issue of the inbox is listed as long as it holds."""

from datetime import timedelta

from db.inbox.inbox_issues import inbox_issues, replace_inbox_issues
from db.session import Database
from readfirst.inbox_issues import InboxIssue, InboxIssueCode
from tests.support.studies import NOW

LINK = InboxIssue(InboxIssueCode.LINK, "ward/link")
SHUT = InboxIssue(InboxIssueCode.NOT_READABLE, "a/film\n.dcm", "Permission denied")


def test_issues_come_stay_with_their_time_and_go(database: Database) -> None:
    later = NOW + timedelta(hours=1)
    with database.write() as session:
        assert replace_inbox_issues(session, {LINK}, NOW) == {LINK}
    with database.write() as session:
        assert replace_inbox_issues(session, {LINK, SHUT}, later) == {SHUT}
    with database.read() as session:
        shut, link = inbox_issues(session)
    assert (link.since, shut.since) == (NOW, later)
    assert shut.reason.endswith("(Permission denied)")
    with database.write() as session:
        assert replace_inbox_issues(session, {SHUT}, later) == set()
        assert [issue.code for issue in inbox_issues(session)] == ["not_readable"]
