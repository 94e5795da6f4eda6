"""Objects for the tests of the database: built by what matters, the rest filled in."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import count

from sqlalchemy.orm import Session

from db.ensembles import EnsembleFacts, register
from db.images import Identity, NewArrival, add_image
from db.scores import record
from db.tables import Ensemble, Image
from db.work import Claimed, Terms, claim_ready, claim_received, mark_ready
from readfirst.domain import FileKind, Header, ImageScore, uid_from_digest
from readfirst.errors import Refused

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
MAX_WAIT = timedelta(hours=8)
TERMS = Terms(lease=timedelta(minutes=2), max_attempts=3)
_numbers = count(1)


def a_header(**values: object) -> Header:
    return Header(**({"kind": FileKind.DICOM, "rows": 100, "columns": 80} | values))  # type: ignore[arg-type]


def an_image(
    session: Session,
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
    return add_image(
        session, arrival, identity, header or a_header(), refusal=refusal, max_wait=MAX_WAIT
    )


def a_ready_image(session: Session, at: datetime = NOW, **values: object) -> Image:
    image = an_image(session, at, **values)  # type: ignore[arg-type]
    session.flush()
    claimed = claim_received(session, at, TERMS)
    assert claimed is not None
    assert claimed.image_id == image.id, "another image waited before this one"
    mark_ready(session, claimed, "1", at)
    return image


def a_scored_image(
    session: Session, at: datetime = NOW, *, probability: float, **values: object
) -> Image:
    image = a_ready_image(session, at, **values)
    session.flush()
    score_ready(session, at, {image.id: probability})
    return image


def score_ready(
    session: Session, at: datetime, probabilities: dict[int, float], version: str = "1"
) -> list[Claimed]:
    """Claim what is ready and record what the ensemble of this version would say."""
    ensemble = an_ensemble(session, version)
    claims = claim_ready(session, 100, at, TERMS, "1")
    results = [
        (held, ImageScore(probabilities[held.image_id], {"cnn": probabilities[held.image_id]}))
        for held in claims
    ]
    record(session, results, ensemble, at, max_wait=MAX_WAIT)
    return claims


def an_ensemble(session: Session, version: str = "1", threshold: float = 0.5) -> Ensemble:
    known = session.get(Ensemble, version)
    return known or register(session, EnsembleFacts(version, threshold, "1"), NOW)
