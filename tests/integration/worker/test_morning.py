"""The morning after a night: what it changed, who is told, and by which mail."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from cli import app
from db.lifecycle.unit_of_work import site_policy, unit_of_work
from db.lifecycle.verdicts import VerdictInput, submit_verdict
from db.nights.records import find_night
from db.nights.report import GroupKind, NightChange, NightReport, changed_studies, night_report
from db.tables import Image, Night, OutboxMessage, Study
from db.worklist.queries import reading_order
from tests.support import smtp
from tests.support.nights import BEGIN, NEW, NIGHTLY, OLD, ByGrey, add_films, promote_new
from tests.support.smtp import Mailbox
from tests.support.studies import AS_STORED, NOBODY
from tests.support.workers import Worker

MINUTE = timedelta(minutes=1)
PAGE = "https://readfirst.hospital.example"
#: Of each film, before and after: unread and flagged newly, read and so; withdrawn; read and much
#: lower; unread and much lower; unchanged.
BEFORE = [0.1, 0.2, 0.9, 0.45, 0.45, 0.3]
AFTER = [0.8, 0.7, 0.2, 0.1, 0.1, 0.31]
READ = (1, 3)
SECOND_LOOK = 0.25


@dataclass(frozen=True)
class Morning:
    """A site after its night. studies: their numbers, by the numbers of their films."""

    site: Worker
    studies: list[int]
    night: int

    def changed(self, change: NightChange, **how: Any) -> list[int]:
        """The films of a list."""
        with self.site.database.read() as session:
            rows = changed_studies(session, self.night, change, SECOND_LOOK, limit=9, **how)
        return [self.studies.index(row.number) for row in rows]

    def report(self, second_look: float = SECOND_LOOK) -> NightReport:
        """The report."""
        with self.site.database.read() as session:
            night = find_night(session, self.night)
            assert night is not None
            return night_report(session, night, second_look)


def after_the_night(worker: Worker, unlike: Sequence[int] = (), **settings: Any) -> Morning:
    site = worker.with_settings(**(NIGHTLY | {"batch_size": 4} | settings))
    images = add_films(site, BEFORE)
    with site.database.read() as session:
        rows = session.execute(select(Image.id, Study.id, Study.study_instance_uid).join(Study))
        of_image = {image: (study, uid) for image, study, uid in rows}
    for film in READ:
        with unit_of_work(site.database, site_policy(site.settings), at=BEGIN) as unit:
            uid = of_image[images[film]][1]
            submit_verdict(unit, uid, VerdictInput(), NOBODY, expected=None)
    site = promote_new(site, ByGrey(AFTER, unlike=unlike))
    site.keep_night(BEGIN)
    while site.score_batch() or site.feed_night(BEGIN):
        pass
    site.keep_night(BEGIN + MINUTE)
    with site.database.read() as session:
        night = session.scalars(select(Night)).one()
    assert not night.running
    return Morning(site, [of_image[image][0] for image in images], night.id)


@pytest.fixture
def morning(worker: Worker) -> Morning:
    return after_the_night(worker)


def test_what_a_night_changed_stands_in_three_lists(morning: Morning) -> None:
    """Newly flagged ones that are unread come first."""
    assert morning.changed(NightChange.NEWLY_FLAGGED) == [0, 1]
    assert morning.changed(NightChange.WITHDRAWN) == [2]
    assert morning.changed(NightChange.SECOND_LOOK) == [1, 3]
    report = morning.report()
    assert report.counts.studies == len(BEFORE)
    assert (report.counts.newly_flagged, report.unread_flagged) == (2, 1)
    assert (report.night.flagged, report.night.withdrawn) == (2, 1)
    assert morning.report(0.36).counts.second_look == 1
    # The bound itself is enough.
    assert morning.report(0.35).counts.second_look == 2


def test_counts_are_by_ensemble_population_and_scanner(morning: Morning) -> None:
    groups = morning.report().groups
    names = {(group.kind, group.name): group.counts for group in groups}
    assert names[GroupKind.ENSEMBLES, f"{OLD} → {NEW}"].studies == len(BEFORE)
    assert names[GroupKind.POPULATION, "validated population"].newly_flagged == 2
    assert names[GroupKind.SCANNER, "unknown scanner"].withdrawn == 1
    for kind in GroupKind:
        counted = [group.counts.studies for group in groups if group.kind is kind]
        assert sum(counted) == len(BEFORE)


def test_a_film_that_looks_unlike_the_validated_ones_is_outside_the_population(
    worker: Worker,
) -> None:
    morning = after_the_night(worker, unlike=[0])
    groups = morning.report().groups
    names = {group.name: group.counts for group in groups if group.kind is GroupKind.POPULATION}
    assert names["not validated: unlike validated films"].newly_flagged == 1
    assert names["validated population"].studies == len(BEFORE) - 1
    with morning.site.database.read() as session:
        listed = changed_studies(
            session, morning.night, NightChange.NEWLY_FLAGGED, SECOND_LOOK, limit=9
        )
    assert [each.population for each in listed] == [
        "not validated: unlike validated films",
        "validated population",
    ]


def test_what_is_hidden_until_a_verdict_is_in_no_list(morning: Morning) -> None:
    assert morning.changed(NightChange.NEWLY_FLAGGED, hides_ai=True) == [1]


def test_an_unread_study_rises_with_the_reason_and_people_are_told_of_it_alone(
    worker: Worker,
) -> None:
    morning = after_the_night(worker, webhook_url="http://receiver.example")
    # Of the third one when it came in.
    known = [morning.studies[2]]
    with morning.site.database.read() as session:
        rows = reading_order(session, limit=9, display=AS_STORED)
        messages = list(session.scalars(select(OutboxMessage.study_id)))
    assert messages == [*known, morning.studies[0]]
    reasons = {morning.studies.index(row.number): row.why for row in rows}
    assert reasons[0] == "Re-scored. AI 80 % (threshold 50 %)."
    assert reasons[5] == "In order of arrival. AI 31 % (threshold 50 %)."


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with smtp.mail_server(Mailbox(security="none")) as box:
        yield box


def test_a_mail_has_counts_and_a_link_and_nothing_of_a_study(
    worker: Worker, mailbox: Mailbox
) -> None:
    morning = after_the_night(
        worker,
        nightly_mail_to=("lead@hospital.example",),
        page_url=PAGE,
        smtp_host="127.0.0.1",
        smtp_port=mailbox.port,
        smtp_security="none",
        mail_from="readfirst@hospital.example",
    )
    assert morning.site.use_cases.units.policy.channels
    assert morning.site.deliver_next()
    assert not morning.site.deliver_next()
    (mail,) = mailbox.mails
    assert mailbox.receivers == [["lead@hospital.example"]]
    assert mail["Subject"] == f"ReadFirst: night of {BEGIN.date()}, 2 newly flagged"
    text = mail.get_payload()
    assert "Newly flagged: 2 studies, of which 1 are unread." in text
    assert f"{PAGE}/watching/night?number={morning.night}" in text
    with morning.site.database.read() as session:
        for study in session.scalars(select(Study)):
            assert study.study_instance_uid not in str(mail)


def test_without_a_receiver_no_mail_waits(morning: Morning) -> None:
    with morning.site.database.read() as session:
        assert list(session.scalars(select(OutboxMessage))) == []


def test_the_doctor_tries_the_server_of_these_mails(
    mailbox: Mailbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = {
        "HOME": str(tmp_path),
        "PAGE_URL": PAGE,
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": str(mailbox.port),
        "SMTP_SECURITY": "none",
        "MAIL_FROM": "readfirst@hospital.example",
        "NIGHTLY_MAIL_TO": "lead@hospital.example",
    }
    for name, value in values.items():
        monkeypatch.setenv(f"READFIRST_{name}", value)
    result = CliRunner().invoke(app, ["doctor", "--send-test-mail"])
    assert "Sent to 1 address" in result.stderr
    assert f"nights by mail; 127.0.0.1:{mailbox.port} (none) answers" in result.stdout
    assert mailbox.receivers == [["lead@hospital.example"]]
