"""Ensembles in shadow: they score what the active one has scored, and nothing ranks by them.

Their scores are kept with all others. They count from the moment at which the ensemble becomes the
active one: `score_counts` is that rule, for whatever ranks studies by scores or shows them.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, func, or_, select
from sqlalchemy.orm import Session

from db.ensembles.versions import leave_shadow, registered
from db.session import insert_into
from db.tables import EnsembleVersion, Image, Score, ShadowImage
from readfirst.domain import ImageState
from readfirst.errors import Misconfigured
from readfirst.language.texts import gettext

#: Networks are loaded for films that were scored so long ago: so they are loaded for many at once.
DELAY = timedelta(minutes=10)
#: Images looked at in one transaction, so that live films never wait for a long one.
SLICE = 500


def has_been_active() -> ColumnElement[bool]:
    """Ensembles that people have seen the scores of."""
    return or_(EnsembleVersion.active, EnsembleVersion.activated_at.is_not(None))


def score_counts() -> ColumnElement[bool]:
    """Scores that may decide a study's rank, and that may be shown: of no mere candidate."""
    versions = select(EnsembleVersion.version).where(has_been_active())
    return Score.ensemble_version.in_(versions)


def begin_shadow(session: Session, version: str, at: datetime) -> EnsembleVersion:
    """Let a candidate score in shadow from now on: all films, the newest first.

    One that was put away becomes a candidate again by it. Raises Misconfigured for an ensemble
    that is active, or was: its scores count already.
    """
    ensemble = registered(session, version)
    if ensemble.active:
        raise Misconfigured(
            gettext("Ensemble {version} is the active one: it scores every film already.").format(
                version=version
            )
        )
    if ensemble.activated_at is not None:
        raise Misconfigured(
            gettext(
                "Ensemble {version} was active before, so its scores count. Only one that never "
                "was can score in shadow; `readfirst models promote` makes this one active again."
            ).format(version=version)
        )
    if ensemble.shadow_since is None:
        ensemble.shadow_since, ensemble.retired_at = at, None
        newest = session.scalar(select(func.max(Image.id)))
        ensemble.shadow_queues_below = None if newest is None else newest + 1
        ensemble.shadow_error = ensemble.shadow_paused_until = None
    session.flush()
    return ensemble


def end_shadow(session: Session, version: str) -> EnsembleVersion:
    """Let an ensemble score in shadow no more; its scores stay. Raises Misconfigured."""
    ensemble = registered(session, version)
    if ensemble.shadow_since is None:
        raise Misconfigured(
            gettext("Ensemble {version} does not score in shadow.").format(version=version)
        )
    leave_shadow(ensemble)
    session.flush()
    return ensemble


def shadow_ensembles(session: Session) -> Sequence[EnsembleVersion]:
    """The ensembles that score in shadow, in the order in which they began."""
    query = select(EnsembleVersion).where(EnsembleVersion.shadow_since.is_not(None))
    order = (EnsembleVersion.shadow_since, EnsembleVersion.version)
    return session.scalars(query.order_by(*order)).all()


def queue_for_shadows(session: Session, image_ids: Iterable[int], at: datetime) -> None:
    """Let the ensembles in shadow score these images too, which have just been scored."""
    ids = sorted(image_ids)
    for ensemble in shadow_ensembles(session) if ids else ():
        _queue(session, ensemble.version, ids, at + DELAY)


def queue_earlier(session: Session, version: str, at: datetime) -> None:
    """Queue the next slice of the images that were there when the shadow began, the newest first.

    Of workers that do so at once, one does it.
    """
    lock = {"key_share": True, "skip_locked": True}
    ensemble = session.get(EnsembleVersion, version, with_for_update=lock, populate_existing=True)
    if ensemble is None or ensemble.shadow_queues_below is None:
        return
    # Those that wait for the active one too: it may be scoring them at this moment. What is
    # prepared otherwise is queued when the active one has scored it again.
    fits = Image.preprocessing_version == ensemble.preprocessing_version
    waits = Image.state.in_((ImageState.RECEIVED, ImageState.READY))
    query = select(Image.id).where(
        Image.id < ensemble.shadow_queues_below,
        or_(waits, and_(fits, Image.state == ImageState.SCORED)),
    )
    ids = session.scalars(query.order_by(Image.id.desc()).limit(SLICE)).all()
    ensemble.shadow_queues_below = ids[-1] if ids else None
    session.flush()
    _queue(session, version, ids, at)


def forget_queues(session: Session, now: datetime) -> None:
    """Remove what waits for ensembles that score in shadow no more; what is in work may end."""
    shadows = select(EnsembleVersion.version).where(EnsembleVersion.shadow_since.is_not(None))
    gone = delete(ShadowImage).where(
        ShadowImage.ensemble_version.not_in(shadows),
        ShadowImage.given_up_at.is_(None),
        or_(ShadowImage.lease_token.is_(None), ShadowImage.lease_until <= now),
    )
    session.execute(gone.execution_options(synchronize_session=False))


def _queue(session: Session, version: str, image_ids: Sequence[int], due_at: datetime) -> None:
    known = select(Score.image_id).where(
        Score.ensemble_version == version, Score.image_id.in_(image_ids)
    )
    scored = set(session.scalars(known)) if image_ids else set()
    rows = [
        {
            "image_id": image_id,
            "ensemble_version": version,
            "due_at": due_at,
            "attempts": 0,
            "failures": 0,
            "excused": 0,
        }
        for image_id in image_ids
        if image_id not in scored
    ]
    if rows:
        new = insert_into(session, ShadowImage).values(rows)
        session.execute(new.on_conflict_do_nothing())
