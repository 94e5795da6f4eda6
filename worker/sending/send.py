"""Results that are due are made and sent, those of one destination by one connection."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import structlog

from db.access.audit import Actor, AuditAction, note
from db.destinations.records import DestinationRecord
from db.lifecycle.lease import LeasePolicy
from db.lifecycle.sending.claims import DueResult, claim_due, rest
from db.lifecycle.sending.outcomes import give_way, not_made, not_sent, not_yet, sent
from db.session import Database
from readfirst.destinations.commitment import Receipt
from readfirst.destinations.forms import Form
from readfirst.errors import Misconfigured, NotThere, ReadFirstError, Unavailable
from results.destinations.kind import DestinationConnection, SendingFailed
from results.destinations.kinds import checked_address, kind_named
from results.destinations.outgoing import (
    MESSAGE_FORMS,
    Outgoing,
    OutgoingObject,
    make_outgoing,
)
from results.services import ResultServices

log = structlog.get_logger()
#: What is refused again and again is given up after some attempts; a destination that is down is
#: tried for `db.lifecycle.sending.outcomes.GIVE_UP_AFTER`.
MOST_ATTEMPTS = 10
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=5), timedelta(hours=1)
#: Results that are made and sent by one connection.
BATCH = 8
#: Whoever sends is nobody's account.
WORKER = Actor(None, None)


def sending_policy(lease: timedelta) -> LeasePolicy:
    """Say how long a worker may hold a result before another sends it, and how often it tries."""
    return LeasePolicy(
        lease=lease,
        max_attempts=MOST_ATTEMPTS,
        first_pause=FIRST_PAUSE,
        longest_pause=LONGEST_PAUSE,
    )


@dataclass(frozen=True, slots=True)
class SendingServices:
    """The collaborators that send results.

    silent: nothing is sent; what waits goes on waiting.
    """

    database: Database
    results: ResultServices
    lease: LeasePolicy
    silent: bool = False


def send_next(services: SendingServices) -> bool:
    """Send what is due longest, and more of the same destination. False when nothing is."""
    if services.silent:
        return False
    with services.database.write() as session:
        due = claim_due(session, datetime.now(UTC), services.lease, BATCH)
    if due is None:
        return False
    made = [(each, _made(services, due.destination, each)) for each in due.results]
    waiting = [(each, objects) for each, objects in made if objects]
    if waiting:
        _send_all(services, due.destination, waiting)
    return True


def _made(
    services: SendingServices, destination: DestinationRecord, due: DueResult
) -> tuple[OutgoingObject, ...]:
    """Make the objects of a result. Where there are none, the reason is noted."""
    now = datetime.now(UTC)
    try:
        results = _results_for(services.results, destination, due.form)
        outgoing = make_outgoing(results, due.study_instance_uid, due.form)
    except (Unavailable, Misconfigured, OSError, MemoryError) as error:
        # Of the machine or the settings, and no fault of the study or the destination.
        with services.database.write() as session:
            not_yet(
                session, due, f"It cannot be made at the moment ({error}).", now, services.lease
            )
        return ()
    except NotThere as error:
        outgoing = Outgoing((), str(error))
    except Exception as error:
        # Whatever a foreign header may bring about: others must be sent all the same.
        log.error("result_not_made", action="send", form=due.form.value, exc_info=error)
        cause = str(error) if isinstance(error, ReadFirstError) else type(error).__name__
        reason = f"It could not be made ({cause})."
        with services.database.write() as session:
            not_sent(session, due, reason, now, services.lease, answered=True)
        return ()
    if outgoing.reason is not None:
        with services.database.write() as session:
            if outgoing.later:
                not_yet(session, due, outgoing.reason, now, services.lease)
            else:
                not_made(session, due, outgoing.reason, now)
    return outgoing.objects


def _results_for(
    results: ResultServices, destination: DestinationRecord, form: Form
) -> ResultServices:
    """The collaborators with what this destination has of its own. Raises Misconfigured."""
    if form not in MESSAGE_FORMS:
        return results
    address = checked_address(kind_named(destination.kind), destination.address)
    return replace(results, settings=results.settings.model_copy(update=address.own_settings()))


def _send_all(
    services: SendingServices,
    destination: DestinationRecord,
    waiting: list[tuple[DueResult, tuple[OutgoingObject, ...]]],
) -> None:
    """Send results by one connection; where it fails, the rest waits.

    Nothing is begun in the second half of the lease: so another worker rarely sends the same.
    """
    end = time.monotonic() + services.lease.lease.total_seconds() / 2
    left = [due for due, _ in waiting]
    try:
        kind = kind_named(destination.kind)
        address = checked_address(kind, destination.address)
        with kind.connect(address) as connection:
            for due, objects in waiting:
                if time.monotonic() > end:
                    break
                _send(services, destination, connection, due, objects)
                left.remove(due)
    except (SendingFailed, Misconfigured) as error:
        _hold(services, destination, left, str(error))
        return
    except Exception as error:
        # Whatever a foreign system may bring about: others must get their results all the same.
        log.error("sending_failed", action="send", destination=destination.name, exc_info=error)
        _hold(services, destination, left, f"It cannot be reached ({type(error).__name__}).")
        return
    with services.database.write() as session:
        for due in left:
            give_way(session, due)


def _send(
    services: SendingServices,
    destination: DestinationRecord,
    connection: DestinationConnection,
    due: DueResult,
    objects: tuple[OutgoingObject, ...],
) -> None:
    """Send one result, and note it. Raises SendingFailed if the destination does not answer."""
    keys = [each.key for each in objects]
    with services.database.write() as session:
        note(
            session, WORKER, AuditAction.RESULTS_SENT, datetime.now(UTC),
            study_instance_uid=due.study_instance_uid, destination=destination.name,
            form=due.form.value, objects=keys,
        )  # fmt: skip
    facts = {"destination": destination.name, "form": due.form.value}
    try:
        receipt = _receipt(connection, objects)
    except SendingFailed as failure:
        if not failure.answered:
            raise
        log.warning("result_refused", action="send", reason=failure.reason, **facts)
        with services.database.write() as session:
            now = datetime.now(UTC)
            not_sent(session, due, failure.reason, now, services.lease, answered=True)
        return
    with services.database.write() as session:
        sent(session, due, keys, datetime.now(UTC), receipt)
    log.info("result_sent", action="send", objects=keys, **facts)


def _receipt(
    connection: DestinationConnection, objects: tuple[OutgoingObject, ...]
) -> Receipt | None:
    """Send objects. What goes wrong in a way that nobody thought of is told of the object."""
    try:
        return connection.send(objects)
    except SendingFailed:
        raise
    except Exception as error:
        log.error("object_not_sent", action="send", form=objects[0].form.value, exc_info=error)
        reason = f"It could not be sent ({type(error).__name__})."
        raise SendingFailed(reason, answered=True) from error


def _hold(
    services: SendingServices,
    destination: DestinationRecord,
    left: Iterable[DueResult],
    reason: str,
) -> None:
    """Let a destination that does not answer rest, with all that waits for it."""
    log.warning("destination_down", action="send", destination=destination.name, reason=reason)
    now = datetime.now(UTC)
    with services.database.write() as session:
        pauses = [timedelta()]
        for due in left:
            not_sent(session, due, reason, now, services.lease, answered=False)
            pauses.append(services.lease.pause(due.attempts))
        # Each attempt costs a worker's time, and the next one would fail alike.
        rest(session, destination, now + max(pauses))
