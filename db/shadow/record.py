"""Scores of an ensemble in shadow are written: no event, no rank, nobody is told."""

from collections.abc import Mapping, Sequence

from sqlalchemy import select

from db.ensembles.thresholds import active_thresholds
from db.lifecycle import lease
from db.lifecycle.events import Cause
from db.lifecycle.ranking import rank
from db.lifecycle.scoring import BatchTime, known_scores, new_score
from db.lifecycle.unit_of_work import UnitOfWork
from db.shadow.work import ClaimedShadow
from db.tables import EnsembleVersion, Image, ShadowImage
from readfirst.domain import ImageScore, ImageState


def record_shadow(
    unit: UnitOfWork,
    version: str,
    results: Sequence[tuple[ClaimedShadow, ImageScore]],
    time: BatchTime | None = None,
) -> int:
    """Write the scores of a batch. Returns how many; those whose lease was lost are left out.

    Where the ensemble became the active one meanwhile, the studies rank by them at once.
    """
    # Locked in the order in which the life cycle does: a promotion waits for the end of this
    # transaction, or has ended; so does the active ensemble's work on the same images.
    ensemble = unit.session.get_one(
        EnsembleVersion, version, with_for_update={"read": True}, populate_existing=True
    )
    images = _locked_images(unit, [claimed.image_id for claimed, _ in results])
    leases = [claimed.lease for claimed, _ in results]
    rows = lease.leased_rows(unit.session, ShadowImage, leases)
    known = known_scores(unit.session, images, ensemble)
    thresholds = active_thresholds(unit.session)
    written: list[Image] = []
    for claimed, result in results:
        row, image = rows.get(claimed.lease.row_id), images[claimed.image_id]
        if row is None:
            continue
        if image.id not in known and image.state is not ImageState.REFUSED:
            threshold = thresholds.for_score(version, result)
            unit.session.add(new_score(image.id, result, version, threshold, unit.at, time))
            written.append(image)
        unit.session.delete(row)
    ensemble_went_on(ensemble)
    unit.session.flush()
    if ensemble.active:
        unit.count_anew(image.received_at for image in written)
        rank(unit, dict.fromkeys([image.study_id for image in written], Cause.ROLLBACK), version)
    return len(written)


def ensemble_went_on(ensemble: EnsembleVersion) -> None:
    """Whatever kept it from scoring has gone."""
    if ensemble.shadow_error is not None:
        ensemble.shadow_error = ensemble.shadow_paused_until = None


def _locked_images(unit: UnitOfWork, image_ids: Sequence[int]) -> Mapping[int, Image]:
    query = select(Image).where(Image.id.in_(image_ids)).order_by(Image.id)
    locked = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    return {image.id: image for image in unit.session.scalars(locked)}
