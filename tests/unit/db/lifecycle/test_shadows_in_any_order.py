"""Whatever happens in whatever order, a shadow ranks nothing, tells nobody, and scores once."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.ensembles.shadows import begin_shadow, end_shadow, forget_queues, shadow_ensembles
from db.ensembles.versions import EnsembleFacts, register
from db.lifecycle.rescoring import make_ready_again
from db.session import Database
from db.shadow.record import record_shadow
from db.shadow.work import ClaimedShadow, claim_shadow, film_waits, queue_next
from db.tables import EnsembleVersion, Event, Image, Score, ShadowImage, Study
from readfirst.domain import ImageScore, ImageState
from tests.support.studies import NOW
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


Step = Callable[[ShadowedSite], None]


def shadow(version: str) -> Step:
    """Let a candidate score in shadow, or no more."""

    def changes(site: ShadowedSite) -> None:
        row = site.session.get_one(EnsembleVersion, version)
        if row.shadow_since is not None:
            end_shadow(site.session, version)
        elif row.activated_at is None:
            begin_shadow(site.session, version, NOW)

    return changes


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
        answers = {each: site.answers[each.image_id][version] for each in claimed}
        with site.unit() as unit:
            results = [(each, ImageScore(p, {"cnn": p})) for each, p in answers.items()]
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
    shadows = [row.version for row in shadow_ensembles(site.session)]
    scored = site.session.scalars(select(Image.id).where(Image.state == ImageState.SCORED)).all()
    for version in shadows:
        query = select(Score.image_id).where(Score.ensemble_version == version)
        assert set(scored) <= set(site.session.scalars(query))
    waits = select(ShadowImage.image_id).where(ShadowImage.ensemble_version.in_(shadows))
    assert not set(scored) & set(site.session.scalars(waits))


steps = st.one_of(
    happenings,
    st.builds(shadow, st.sampled_from(sorted(THRESHOLDS))),
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
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.sampled_from(BEGINNINGS), st.lists(steps, min_size=1, max_size=12))
def test_a_shadow_ranks_nothing_and_scores_every_film_once(
    shared_database: Database, begun: list[Step], taken: list[Step]
) -> None:
    writer = shared_database.engine.execution_options(readfirst_write=True)
    with Session(writer, expire_on_commit=False) as session:
        for version, threshold in THRESHOLDS.items():
            register(session, EnsembleFacts(version, threshold, "1"), NOW)
        site = ShadowedSite(session)
        for step in [*begun, *taken, finish]:
            step(site)
            sweep(site)
            session.flush()
            session.expire_all()
            check(session)
        scores = Counter(session.execute(select(Score.image_id, Score.ensemble_version)).all())
        assert set(scores.values()) <= {1}
        session.rollback()
