"""The life of ensembles in any order, with films, readers, nights and thresholds between.

Ensembles are added, score in shadow, are promoted, put away, and made active again. Whatever the
order: every study ranks by the active one as soon as that has scored it; a shadow ranks nothing and
tells nobody; every score that was made stays as it is, and each film has one of each ensemble; and
for each time that a study is flagged, one message leaves at most.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.access.audit import Actor
from db.ensembles.changes import EnsembleChange, change_ensemble
from db.ensembles.shadows import forget_queues, shadow_ensembles
from db.lifecycle.rescoring import make_ready_again, rank_again
from db.session import Database
from db.shadow.record import record_shadow
from db.shadow.work import ClaimedShadow, claim_shadow, film_waits, queue_next
from db.tables import EnsembleVersion, Event, Image, Score, ShadowImage, Study
from readfirst.domain import ImageState
from readfirst.errors import Misconfigured
from tests.unit.db.lifecycle.test_any_order import (
    THRESHOLDS,
    SimulatedSite,
    check,
    film,
    happenings,
    promotion,
    sweep,
)

#: More than there are films and ensembles in an example.
MOST_BATCHES = 20


@dataclass
class ShadowedSite(SimulatedSite):
    """A site with workers that hold images for ensembles in shadow, and may have lost them."""

    claims: list[tuple[str, list[ClaimedShadow]]] = field(default_factory=list)
    #: Every score that was ever made, as it was.
    scores: dict[int, tuple[object, ...]] = field(default_factory=dict)


WHO = Actor(account="ann", address=None)
Step = Callable[[ShadowedSite], None]


def addition(version: str) -> Step:
    return lambda site: site.add(version)


def change(change: EnsembleChange, version: str) -> Step:
    """Change an ensemble as page and terminal do, or be refused for a reason that holds."""

    def happens(site: ShadowedSite) -> None:
        site.add(version)
        row = site.session.get_one(EnsembleVersion, version)
        others = select(func.count()).where(
            ~EnsembleVersion.active, EnsembleVersion.activated_at.is_not(None)
        )
        possible = {
            EnsembleChange.SHADOW: row.activated_at is None,
            EnsembleChange.END_SHADOW: row.shadow_since is not None,
            EnsembleChange.PROMOTE: True,
            EnsembleChange.RETIRE: not row.active,
            EnsembleChange.ROLL_BACK: site.session.scalar(others) != 0,
        }
        with site.unit() as unit:
            if not possible[change]:
                with pytest.raises(Misconfigured):
                    change_ensemble(unit.session, WHO, change, unit.at, version)
                return
            changed = change_ensemble(unit.session, WHO, change, unit.at, version)
            if changed.active:
                rank_again(unit, changed, limit=100)

    return happens


def shadow(version: str) -> Step:
    return change(EnsembleChange.SHADOW, version)


def claim(limit: int) -> Step:
    def is_claimed(site: ShadowedSite) -> None:
        with site.unit() as unit:
            forget_queues(unit.session, unit.at)
            if film_waits(unit.session, unit.at):
                return
            while queue_next(unit):
                pass
            for ensemble in shadow_ensembles(unit.session):
                site.claims.append((ensemble.version, claim_shadow(unit, ensemble, limit)))

    return is_claimed


def end_of_batch(*, first: bool) -> Step:
    """A worker writes its scores, be it the first that claimed or the last."""

    def ends(site: ShadowedSite) -> None:
        if not site.claims:
            return
        version, claimed = site.claims.pop(0 if first else -1)
        is_active = site.session.get_one(EnsembleVersion, version).active
        before = everything_that_ranks(site.session)
        with site.unit() as unit:
            results = [(each, site.answer(each.image_id, version)) for each in claimed]
            record_shadow(unit, version, results)
        if not is_active:
            assert everything_that_ranks(site.session) == before

    return ends


def everything_that_ranks(session: Session) -> list[object]:
    columns = (Study.flagged, Study.score_id, Study.ranked_by, Study.reading_key, Study.probability)
    return [
        *session.execute(select(Study.id, *columns).order_by(Study.id)).all(),
        *session.execute(select(Image.id, Image.state, Image.scored_at).order_by(Image.id)).all(),
        session.scalar(select(func.count()).select_from(Event)),
    ]


def finish(site: ShadowedSite) -> None:
    """Let workers do all that is left: then each image has one score of each shadow."""
    with site.unit() as unit:
        # The answers of killed workers never come; their leases end.
        site.claims.clear()
        while make_ready_again(unit, site.active(), limit=100):
            site.work(unit)
        site.work(unit)
    # What a killed worker held is claimed alone.
    for _ in range(MOST_BATCHES):
        claim(100)(site)
        while site.claims:
            end_of_batch(first=True)(site)
        if not shadow_work_is_left(site.session):
            break
    shadows = [row.version for row in shadow_ensembles(site.session)]
    scored = site.session.scalars(select(Image.id).where(Image.state == ImageState.SCORED)).all()
    for version in shadows:
        query = select(Score.image_id).where(Score.ensemble_version == version)
        assert set(scored) <= set(site.session.scalars(query))
    waits = select(ShadowImage.image_id).where(ShadowImage.ensemble_version.in_(shadows))
    assert not set(scored) & set(site.session.scalars(waits))


def shadow_work_is_left(session: Session) -> bool:
    """Tell whether images wait for an ensemble in shadow, or have not been queued for it yet."""
    shadows = shadow_ensembles(session)
    versions = [row.version for row in shadows]
    waits = select(ShadowImage.id).where(ShadowImage.ensemble_version.in_(versions)).limit(1)
    to_queue = any(row.shadow_queues_below is not None for row in shadows)
    return to_queue or session.scalar(waits) is not None


def check_scores(site: ShadowedSite) -> None:
    """Scores are added and never change, and none is there twice."""
    columns = (Score.id, Score.image_id, Score.ensemble_version, Score.probability)
    rows = {number: tuple(rest) for number, *rest in site.session.execute(select(*columns))}
    assert site.scores.items() <= rows.items()
    assert len({(image, version) for image, version, _ in rows.values()}) == len(rows)
    site.scores = rows


versions = st.sampled_from(sorted(THRESHOLDS))
LIFE = tuple(
    each
    for each in EnsembleChange
    if each not in (EnsembleChange.RESCORE, EnsembleChange.STOP_NIGHT)
)
steps = st.one_of(
    happenings,
    st.builds(addition, versions),
    st.builds(change, st.sampled_from(LIFE), versions),
    st.builds(shadow, versions),
    st.builds(claim, st.sampled_from((1, 100))),
    st.builds(end_of_batch, first=st.booleans()),
    st.builds(end_of_batch, first=st.booleans()),
)


ANSWERS = {"1": 0.1, "2": 0.1, "3": 0.9}
FILM = film("1.1", ANSWERS, is_refused=False)
SHADOWED = [FILM, shadow("3"), claim(100)]
#: What it takes to come where a shadow could decide: a film that the active one has not scored.
BEGINNINGS = (
    [shadow("3")],
    [*SHADOWED, end_of_batch(first=True)],
    [FILM, promotion("2"), *SHADOWED[1:], end_of_batch(first=True), FILM],
    [*SHADOWED, promotion("3"), end_of_batch(first=True)],
)


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.sampled_from(BEGINNINGS), st.lists(steps, min_size=1, max_size=12))
def test_every_score_stays_and_studies_rank_by_the_active_ensemble_in_whatever_order(
    shared_database: Database, beginning: list[Step], following: list[Step]
) -> None:
    writer = shared_database.engine.execution_options(readfirst_write=True)
    with Session(writer, expire_on_commit=False) as session:
        site = ShadowedSite(session)
        site.add("1")
        for step in [*beginning, *following, finish]:
            step(site)
            sweep(site)
            session.flush()
            session.expire_all()
            check(session)
            check_scores(site)
        session.rollback()
