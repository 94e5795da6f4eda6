"""Results for other systems as rows: wanted with the score, claimed, sent, given up, sent again."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from db.access.audit import entries
from db.destinations.changes import (
    DestinationInput,
    change_destination,
    remove_destination,
    switch_destination,
)
from db.destinations.queries import (
    all_destinations,
    destination_counts,
    find_destination,
    outgoing_results,
)
from db.ensembles.versions import promote
from db.lifecycle.heat_maps import claim_wanted, made
from db.lifecycle.lease import LeasePolicy
from db.lifecycle.rescoring import make_ready_again
from db.lifecycle.retention import due_originals
from db.lifecycle.sending.claims import DueResult, DueResults, claim_due, is_any_due, rest
from db.lifecycle.sending.outcomes import (
    GIVE_UP_AFTER,
    WORKER_DIED,
    give_up_spent,
    give_way,
    not_made,
    not_sent,
    not_yet,
    send_again,
    sent,
)
from db.lifecycle.verdicts import VerdictInput
from db.session import Database
from db.tables import HeatMap, OutgoingResult, Study
from readfirst.destinations.commitment import Receipt
from readfirst.destinations.forms import Form, Studies
from readfirst.destinations.states import SendingState
from readfirst.errors import Conflict, Misconfigured, NotThere
from readfirst.heat_maps import Area
from readfirst.studies.findings import Finding
from readfirst.tasks.names import TaskName
from tests.support.destinations import a_destination, outgoing
from tests.support.studies import (
    LEASE,
    NOBODY,
    NOW,
    POLICY,
    a_header,
    a_scored_image,
    an_ensemble,
    give_verdict,
    lifecycle,
    score_ready,
    unit_at,
)

LATER = NOW + timedelta(hours=1)
SENDING = LeasePolicy(lease=timedelta(minutes=5), max_attempts=3)
EVERY = tuple(Form)


def claim(session: Session, at: object = NOW, limit: int = 9) -> DueResults:
    due = claim_due(session, at, SENDING, limit)  # type: ignore[arg-type]
    assert due is not None
    return due


def a_due_result(session: Session) -> DueResult:
    a_destination(session, "pacs", Form.SR)
    a_scored_image(session, probability=0.9)
    return claim(session).results[0]


def the_row(session: Session) -> OutgoingResult:
    session.flush()
    session.expire_all()
    return session.scalars(select(OutgoingResult)).one()


def test_where_there_is_no_destination_nothing_is_to_be_sent(database: Database) -> None:
    with database.write() as session:
        a_scored_image(session, probability=0.9)
        assert outgoing(session) == []
        assert not is_any_due(session, LATER, SENDING)


def test_report_and_flag_of_a_flagged_study_are_written_with_its_score(database: Database) -> None:
    with database.write() as session:
        a_destination(session)
        a_scored_image(session, probability=0.1)
        assert outgoing(session) == []
        a_scored_image(session, probability=0.9)
        assert outgoing(session) == [("pacs", "sr", "waiting"), ("pacs", "kos", "waiting")]


def test_workers_are_woken_after_the_commit(database: Database) -> None:
    with database.write() as session:
        a_destination(session)
    with database.write() as session:
        unit = unit_at(session)
        a_scored_image(unit, probability=0.9)
        assert TaskName.SEND in unit.write()


def test_of_all_studies_reports_alone_are_sent_where_nothing_is_flagged(database: Database) -> None:
    with database.write() as session:
        a_destination(session, "archive", *EVERY, studies=Studies.ALL)
        a_scored_image(session, probability=0.1)
        reports = ["sr", "oru", "fhir"]
        assert outgoing(session) == [("archive", form, "waiting") for form in reports]


def test_a_destination_gets_what_its_rule_chooses(database: Database) -> None:
    with database.write() as session:
        rule = {"institution_name": ["clinic NORTH*"]}
        a_destination(session, "north", Form.SR, rule=rule)
        a_destination(session, "all", Form.SR)
        for name in ("Clinic North, ward 7", "Clinic South", None):
            a_scored_image(session, probability=0.9, header=a_header(institution_name=name))
        names = [name for name, _, _ in outgoing(session)]
        assert sorted(names) == ["all", "all", "all", "north"]


def test_a_silent_site_sends_nothing(database: Database) -> None:
    with lifecycle(database, policy=replace(POLICY, silent=True)) as unit:
        a_destination(unit.session, "pacs", *EVERY, studies=Studies.ALL)
        image = a_scored_image(unit, probability=0.9)
        unit.write()
        claimed = claim_wanted(unit.session, "1", NOW, LEASE)
        assert claimed is not None
        assert not made(unit.session, claimed, Area(0, 0, 1, 1), NOW, silent=True)
        assert image.study.flagged
        assert outgoing(unit.session) == []


def test_a_destination_that_is_switched_off_gets_nothing_and_keeps_what_waits(
    database: Database,
) -> None:
    with database.write() as session:
        a_destination(session, "pacs", Form.SR)
        a_scored_image(session, probability=0.9)
        switch_destination(session, NOBODY, "pacs", NOW, enabled=False)
        a_scored_image(session, probability=0.9)
        assert outgoing(session) == [("pacs", "sr", "waiting")]
        assert claim_due(session, LATER, SENDING, 9) is None
        switch_destination(session, NOBODY, "pacs", NOW, enabled=True)
        assert len(claim(session).results) == 1


def test_more_of_a_study_needs_no_second_row_unless_the_first_is_being_sent(
    database: Database,
) -> None:
    with database.write() as session:
        a_destination(session, "pacs", Form.SR)
        a_scored_image(session, probability=0.9, study="1.1")
        a_scored_image(session, LATER, probability=0.9, study="1.1")
        assert the_row(session).wanted_at == LATER
        claim(session, LATER)
        a_scored_image(session, LATER, probability=0.9, study="1.1")
        assert outgoing(session) == [("pacs", "sr", "waiting")] * 2


def test_what_was_read_long_ago_is_not_sent_again_by_a_new_ensemble(database: Database) -> None:
    with database.write() as session:
        a_destination(session, "pacs", Form.SR)
        images = [a_scored_image(session, probability=0.9, study=uid) for uid in ("1.1", "1.2")]
        sent(session, claim(session, limit=1).results[0], ["1.9"], NOW)
        sent(session, claim(session).results[0], ["1.8"], NOW)
        give_verdict(session, "1.1", VerdictInput())
        promote(session, an_ensemble(session, "2").version, LATER)
        make_ready_again(unit_at(session, LATER), an_ensemble(session, "2"), limit=9)
        score_ready(session, LATER, {image.id: 0.8 for image in images}, version="2")
        waiting = outgoing_results(session, states=[SendingState.WAITING], limit=9)
        assert [row.study_instance_uid for row in waiting] == ["1.2"]


def test_a_verdict_on_what_the_ai_says_is_sent(database: Database) -> None:
    with database.write() as session:
        a_destination(session, "pacs", Form.SR, Form.VERDICT)
        a_scored_image(session, probability=0.9, study="1.1")
        sent(session, claim(session).results[0], ["1.9"], NOW)
        give_verdict(session, "1.1", VerdictInput())
        assert outgoing(session) == [("pacs", "sr", "sent")]
        give_verdict(session, "1.1", VerdictInput(finding=Finding.PNEUMONIA))
        assert outgoing(session)[1:] == [("pacs", "verdict", "waiting")]
        give_verdict(session, "1.1", VerdictInput(withdrawn=True))
        assert len(outgoing(session)) == 2


def test_where_the_ai_is_hidden_its_result_leaves_with_the_verdict(database: Database) -> None:
    hidden = replace(POLICY, ai_hidden=True)
    with database.write() as session:
        a_destination(session, "pacs", Form.SR)
        a_scored_image(session, probability=0.9, study="1.1")
        not_made(session, claim(session).results[0], "hidden", NOW)
    with lifecycle(database, LATER, hidden) as unit:
        give_verdict(unit, "1.1", VerdictInput())
    with database.write() as session:
        assert outgoing(session) == [("pacs", "sr", "not_made"), ("pacs", "sr", "waiting")]


@pytest.mark.parametrize(
    ("read", "requested", "is_sent"),
    [(False, True, True), (False, False, True), (True, False, True), (True, True, False)],
)
def test_a_heat_map_is_sent_when_it_is_made_unless_it_is_of_an_old_study(
    database: Database, *, read: bool, requested: bool, is_sent: bool
) -> None:
    with database.write() as session:
        a_destination(session, "pacs", Form.SC, Form.GSPS)
        a_scored_image(session, probability=0.9, study="1.1")
        if read:
            give_verdict(session, "1.1", VerdictInput())
        claimed = claim_wanted(session, "1", NOW, LEASE)
        assert claimed is not None
        session.execute(update(HeatMap).values(requested=requested))
        session.expire_all()
        assert outgoing(session) == []
        assert made(session, claimed, Area(0, 0, 1, 1), NOW) is is_sent
        rows = [("pacs", "sc", "waiting"), ("pacs", "gsps", "waiting")]
        assert outgoing(session) == (rows if is_sent else [])


def test_results_are_claimed_for_one_destination_at_a_time_the_longest_due_first(
    database: Database,
) -> None:
    with database.write() as session:
        for name in ("dead", "alive"):
            a_destination(session, name, Form.SR)
        a_scored_image(session, probability=0.9)
        a_scored_image(session, LATER, probability=0.9)
        dead = claim(session, LATER)
        assert (dead.destination.name, len(dead.results)) == ("dead", 2)
        for due in dead.results:
            not_sent(session, due, "no answer", LATER, SENDING, answered=False)
        minute = timedelta(minutes=1)
        rest(session, dead.destination, LATER + minute)
        alive = claim(session, LATER)
        assert (alive.destination.name, len(alive.results)) == ("alive", 2)
        assert claim_due(session, LATER, SENDING, 9) is None
        # What comes meanwhile does not try it either.
        a_scored_image(session, LATER, probability=0.9)
        assert claim(session, LATER).destination.name == "alive"
        assert claim_due(session, LATER, SENDING, 9) is None
        waiting = outgoing_results(session, states=[SendingState.WAITING], limit=9)
        next_attempts = {row.next_attempt_at for row in waiting if row.destination == "dead"}
        assert next_attempts == {LATER + minute}
        assert len(claim(session, LATER + minute).results) == 3


@pytest.mark.parametrize("change", ["change", "switch", "send again"])
def test_whoever_mends_a_destination_need_not_wait_for_it(database: Database, change: str) -> None:
    with database.write() as session:
        a_destination(session, "pacs", Form.SR)
        a_scored_image(session, probability=0.9)
        record = find_destination(session, "pacs")
        rest(session, record, LATER)
        assert claim_due(session, NOW, SENDING, 9) is None
        session.expire_all()
        if change == "change":
            wanted = DestinationInput(kind="folder", address={}, forms=(Form.SR,))
            change_destination(session, NOBODY, "pacs", wanted, NOW)
        elif change == "switch":
            switch_destination(session, NOBODY, "pacs", NOW, enabled=False)
            switch_destination(session, NOBODY, "pacs", NOW, enabled=True)
        else:
            the_row(session).state = SendingState.GIVEN_UP
            assert send_again(session, NOBODY, record, NOW) == 1
        assert len(claim(session, NOW).results) == 1


def test_a_result_is_sent_once_whoever_says_so(database: Database) -> None:
    with database.write() as session:
        due = a_due_result(session)
        sent(session, due, ["1.9"], NOW)
        row = the_row(session)
        assert (row.state, row.objects, row.ended_at) == (SendingState.SENT, ["1.9"], NOW)
        not_sent(session, due, "no answer", LATER, SENDING, answered=False)
        assert the_row(session).state is SendingState.SENT
        assert not is_any_due(session, LATER, SENDING)


def test_a_destination_that_is_down_is_tried_for_days_then_given_up(database: Database) -> None:
    with database.write() as session:
        due, at = a_due_result(session), NOW
        attempts = 0
        while the_row(session).state is SendingState.WAITING:
            not_sent(session, due, "no answer", at, SENDING, answered=False)
            attempts += 1
            if the_row(session).state is SendingState.WAITING:
                at = the_row(session).lease_until or at
                due = claim(session, at).results[0]
        assert attempts > 50
        assert GIVE_UP_AFTER - timedelta(hours=2) < at - NOW <= GIVE_UP_AFTER
        assert (the_row(session).state, the_row(session).reason) == ("given_up", "no answer")


def test_what_is_refused_again_and_again_is_given_up_soon(database: Database) -> None:
    with database.write() as session:
        due, at = a_due_result(session), NOW
        for _ in range(SENDING.max_attempts - 1):
            not_sent(session, due, "A900", at, SENDING, answered=True)
            at = the_row(session).lease_until or at
            due = claim(session, at).results[0]
        not_sent(session, due, "A900", at, SENDING, answered=True)
        assert the_row(session).state is SendingState.GIVEN_UP


def test_what_is_given_up_is_sent_again_when_a_person_says_so(database: Database) -> None:
    with database.write() as session:
        due = a_due_result(session)
        destination = find_destination(session, "pacs")
        assert send_again(session, NOBODY, destination, LATER) == 0
        not_sent(session, due, "no answer", NOW + GIVE_UP_AFTER, SENDING, answered=False)
        assert send_again(session, NOBODY, destination, LATER) == 1
        again = claim(session, LATER).results[0]
        assert (again.attempts, again.wanted_at) == (1, LATER)
        sent(session, again, ["1.9"], LATER)
        assert send_again(session, NOBODY, destination, LATER) == 0
        assert send_again(session, NOBODY, destination, LATER, [again.lease.row_id]) == 1


def test_a_result_that_kills_its_worker_is_given_up(database: Database) -> None:
    few = replace(SENDING, max_unproven=2)
    with database.write() as session:
        a_due_result(session)
        give_up_spent(session, NOW, few)
        assert the_row(session).state is SendingState.WAITING
        at = the_row(session).lease_until or NOW
        claim(session, at)
        at = the_row(session).lease_until or NOW
        give_up_spent(session, at, few)
        assert (the_row(session).state, the_row(session).reason) == ("given_up", WORKER_DIED)


def test_what_cannot_be_made_yet_is_tried_later_and_what_is_none_is_not(
    database: Database,
) -> None:
    with database.write() as session:
        due = a_due_result(session)
        not_yet(session, due, "in work", NOW, SENDING)
        assert claim_due(session, NOW, SENDING, 9) is None
        due = claim(session, LATER).results[0]
        give_way(session, due)
        due = claim(session, LATER).results[0]
        assert due.attempts == 2
        not_made(session, due, "a picture", LATER)
        assert (the_row(session).state, the_row(session).reason) == ("not_made", "a picture")


def test_an_original_stays_while_a_result_of_its_study_waits(database: Database) -> None:
    with database.write() as session:
        due = a_due_result(session)

        def removable() -> int:
            unit = unit_at(session, LATER)
            due = due_originals(unit, refused_before=None, scored_before=LATER, after_id=0, limit=9)
            return len(due)

        assert removable() == 0
        not_sent(session, due, "no answer", NOW + GIVE_UP_AFTER, SENDING, answered=False)
        assert removable() == 1


def test_counts_say_how_each_destination_does(database: Database) -> None:
    with database.write() as session:
        a_destination(session, "pacs", Form.SR)
        quiet = a_destination(session, "quiet", Form.VERDICT)
        for minute in range(4):
            a_scored_image(session, NOW + timedelta(minutes=minute), probability=0.9)
        due = claim(session, LATER)
        sent(session, due.results[0], ["1.1"], LATER, Receipt("1.2"))
        not_sent(session, due.results[1], "no answer", LATER, SENDING, answered=False)
        give_up = LATER + GIVE_UP_AFTER
        not_sent(session, due.results[2], "refused", give_up, SENDING, answered=True)
        not_made(session, due.results[3], "a picture", LATER)
        counts = destination_counts(session)
        assert quiet.number not in counts
        pacs = counts[due.destination.number]
        assert (pacs.waiting, pacs.sent, pacs.given_up, pacs.not_made) == (1, 1, 1, 1)
        assert (pacs.uncommitted, pacs.last_sent_at) == (1, LATER)
        assert (pacs.oldest, pacs.last_error) == (NOW + timedelta(minutes=1), "no answer")
        (dead,) = outgoing_results(session, states=[SendingState.GIVEN_UP], limit=9)
        assert (dead.destination, dead.reason, dead.next_attempt_at) == ("pacs", "refused", None)


def test_changes_are_noted_and_a_form_that_is_not_wanted_any_more_is_not_sent(
    database: Database,
) -> None:
    with database.write() as session:
        a_destination(session)
        a_scored_image(session, probability=0.9)
        wanted = DestinationInput(kind="folder", address={"path": "/new"}, forms=(Form.KOS,))
        changed = change_destination(session, NOBODY, "pacs", wanted, LATER, by="root")
        assert (changed.address, changed.changed_by) == ({"path": "/new"}, "root")
        assert outgoing(session) == [("pacs", "kos", "waiting")]
        with pytest.raises(Misconfigured, match="already"):
            a_destination(session)
        with pytest.raises(NotThere, match="no destination other"):
            change_destination(session, NOBODY, "other", wanted, LATER)
        assert [entry.action for entry in entries(session, limit=9)][:2] == [
            "destination_changed",
            "destination_added",
        ]
        assert entries(session, limit=1)[0].detail["address"] == {"path": "/new"}


def test_a_destination_for_which_something_waits_is_not_removed_by_mistake(
    database: Database,
) -> None:
    with database.write() as session:
        a_destination(session)
        a_scored_image(session, probability=0.9)
        with pytest.raises(Conflict, match="2 results wait for pacs"):
            remove_destination(session, NOBODY, "pacs", LATER, drop=False)
        due = claim(session)
        remove_destination(session, NOBODY, "pacs", LATER, drop=True)
        assert all_destinations(session) == []
        # A worker that was sending just then does no harm.
        sent(session, due.results[0], ["1.1"], LATER)
        not_sent(session, due.results[1], "no answer", LATER, SENDING, answered=False)
        assert entries(session, limit=1)[0].detail["dropped"] == 2
        assert session.scalars(select(Study.flagged)).all() == [True]
