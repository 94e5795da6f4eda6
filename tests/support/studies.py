"""Objects for the tests of the database: built by what matters, the rest filled in."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import count

from sqlalchemy.orm import Session

from db.access.audit import Actor
from db.ensembles.versions import EnsembleFacts, register
from db.images import Identity, NewArrival
from db.lifecycle.arrivals import add_image
from db.lifecycle.lease import LeasePolicy
from db.lifecycle.scoring import record
from db.lifecycle.unit_of_work import LifecyclePolicy, UnitOfWork, unit_of_work
from db.lifecycle.verdicts import ExpectedVersion, VerdictInput, submit_verdict
from db.lifecycle.work import ClaimedImage, claim_ready, claim_received, mark_ready
from db.session import Database
from db.tables import EnsembleVersion, Image
from readfirst.domain import FileKind, Header, ImageScore, uid_from_digest
from readfirst.errors import Refused
from readfirst.studies.display import DisplayContext

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
MAX_WAIT = timedelta(hours=8)
#: Shown as it is stored, at no time in particular.
AS_STORED = DisplayContext(prevalence=None, quiet_before=None, overdue=None)
LEASE = LeasePolicy(lease=timedelta(minutes=2), max_attempts=3)
POLICY = LifecyclePolicy(max_wait=MAX_WAIT, lease=LEASE)
NOBODY = Actor(None, None)
_numbers = count(1)


def lifecycle(
    database: Database, at: datetime = NOW, policy: LifecyclePolicy = POLICY
) -> AbstractContextManager[UnitOfWork]:
    """A transaction of the life cycle, at a moment of the test's choice."""
    return unit_of_work(database, policy, at=at)


@contextmanager
def written(where: Session | UnitOfWork, at: datetime) -> Iterator[UnitOfWork]:
    """A part of a transaction, whose events are written at its end; or a unit that has its own."""
    if isinstance(where, UnitOfWork):
        yield where
        return
    unit = UnitOfWork(where, at, POLICY)
    yield unit
    unit.write()


def unit_at(session: Session, at: datetime = NOW) -> UnitOfWork:
    """For steps that note nothing, or whose events a test does not ask for."""
    return UnitOfWork(session, at, POLICY)


def give_verdict(
    session: Session | UnitOfWork,
    study_instance_uid: str,
    verdict: VerdictInput,
    by: Actor = NOBODY,
    at: datetime = NOW,
    *,
    expected: ExpectedVersion | None = None,
) -> int | None:
    with written(session, at) as unit:
        return submit_verdict(unit, study_instance_uid, verdict, by, expected=expected)


def a_header(**values: object) -> Header:
    return Header(**({"kind": FileKind.DICOM, "rows": 100, "columns": 80} | values))  # type: ignore[arg-type]


def an_image(
    session: Session | UnitOfWork,
    at: datetime = NOW,
    *,
    header: Header | None = None,
    study: str | None = None,
    refusal: Refused | None = None,
) -> Image:
    """A film that has just come in, of content and UIDs that no other has."""
    digest = sha256(str(next(_numbers)).encode()).hexdigest()
    arrival = NewArrival(
        claim_id=digest[:32],
        relative_path=f"{digest[:8]}.dcm",
        sha256=digest,
        size=1000,
        arrived_at=at,
    )
    identity = Identity(
        study_instance_uid=study or uid_from_digest(digest, "study"),
        series_instance_uid=uid_from_digest(digest, "series"),
        sop_instance_uid=uid_from_digest(digest, "instance"),
    )
    with written(session, at) as unit:
        return add_image(unit, arrival, identity, header or a_header(), refusal=refusal)


def a_copy_of(image: Image, at: datetime, *, stat: bool = False) -> NewArrival:
    """The same file once more. stat: in a folder whose studies are read at once."""
    return NewArrival(
        claim_id=f"{image.id} at {at.timestamp():.0f}",
        relative_path="again.dcm",
        sha256=image.sha256,
        size=1,
        arrived_at=at,
        stat=stat,
    )


def a_ready_image(session: Session | UnitOfWork, at: datetime = NOW, **values: object) -> Image:
    image = an_image(session, at, **values)  # type: ignore[arg-type]
    with written(session, at) as unit:
        claimed = claim_received(unit)
        assert claimed is not None
        assert claimed.image_id == image.id, "another image waited before this one"
        mark_ready(unit, claimed, "1")
    return image


def a_scored_image(
    session: Session | UnitOfWork, at: datetime = NOW, *, probability: float, **values: object
) -> Image:
    image = a_ready_image(session, at, **values)
    score_ready(session, at, {image.id: probability})
    return image


def a_doubtful_image(
    session: Session | UnitOfWork,
    at: datetime = NOW,
    *,
    members: Sequence[float],
    unlike: bool | None = None,
    **values: object,
) -> Image:
    """A scored film of which each network says something else. Its probability is the mean."""
    image = a_ready_image(session, at, **values)
    by_name = {f"network-{number}": each for number, each in enumerate(members, 1)}
    with written(session, at) as unit:
        (claimed,) = claim_ready(unit, 1, "1")
        assert claimed.image_id == image.id, "another image waited before this one"
        score = ImageScore(sum(members) / len(members), by_name, unlike)
        record(unit, [(claimed, score)], an_ensemble(unit.session))
    return image


def score_ready(
    session: Session | UnitOfWork,
    at: datetime,
    probabilities: dict[int, float],
    version: str = "1",
    preprocessing_version: str = "1",
) -> list[ClaimedImage]:
    """Claim what is ready and record what the ensemble of this version would say."""
    with written(session, at) as unit:
        ensemble = an_ensemble(unit.session, version)
        claims = claim_ready(unit, 100, preprocessing_version)
        results = [
            (
                claimed,
                ImageScore(
                    probabilities[claimed.image_id], {"cnn": probabilities[claimed.image_id]}
                ),
            )
            for claimed in claims
        ]
        record(unit, results, ensemble)
    return claims


def an_ensemble(session: Session, version: str = "1", threshold: float = 0.5) -> EnsembleVersion:
    known = session.get(EnsembleVersion, version)
    return known or register(session, EnsembleFacts(version, threshold, "1"), NOW)
