"""Whatever happens in whatever order, a study stands where its scores put it."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from db.ensembles.thresholds import (
    ActiveThreshold,
    ActiveThresholds,
    NewThreshold,
    activate_new,
    activate_previous,
    active_thresholds,
    previous_threshold,
)
from db.ensembles.versions import EnsembleFacts, active_ensemble, promote, register
from db.images import Identity
from db.lifecycle.arrivals import add_copy
from db.lifecycle.events import EventAction
from db.lifecycle.rescoring import make_ready_again, rank_again, rank_by_threshold
from db.lifecycle.retries import refused_image, try_again
from db.lifecycle.ris.orders import take_order
from db.lifecycle.ris.reports import take_report
from db.lifecycle.scoring import record
from db.lifecycle.unit_of_work import UnitOfWork
from db.lifecycle.verdicts import VerdictInput, read_anyway, submit_verdict
from db.lifecycle.work import claim_ready, claim_received, mark_ready
from db.ris.orders import has_urgent_order
from db.session import Database
from db.study_conditions import is_unread
from db.tables import EnsembleVersion, Event, Image, OutboxMessage, Score, Study, Verdict
from db.worklist.queries import study_detail
from readfirst.domain import ImageScore, ImageState
from readfirst.errors import Refused
from readfirst.refusals import RefusalCode
from readfirst.ris.values import ImagingOrder, ImagingReport, ReportStatus
from readfirst.statistics.threshold_methods import ThresholdMethod
from readfirst.studies.identity import Patient
from tests.support.studies import (
    AS_STORED,
    MAX_WAIT,
    NOBODY,
    NOW,
    POLICY,
    a_copy_of,
    a_header,
    an_image,
)

AFTER = timedelta(days=90)
TELLING = replace(POLICY, webhook=True, prior_after=AFTER)
THRESHOLDS = {"1": 0.6, "2": 0.3, "3": 0.5}
#: Of adults, by ensemble; the last knows children alone, and its adults are as children.
ADULT_THRESHOLDS = {"1": 0.3, "2": 0.6}
#: Studies of one patient, and when each was taken.
TAKEN_AT = {
    "1.1": NOW - timedelta(days=400),
    "1.2": NOW - timedelta(days=21),
    "1.3": NOW,
    "1.4": None,
}
STUDIES = tuple(TAKEN_AT)
#: Around and at the thresholds, so that versions disagree about flags.
PROBABILITIES = (0.1, 0.3, 0.4, 0.5, 0.55, 0.6, 0.9)


@dataclass
class SimulatedSite:
    """A site, and what each ensemble would say of each of its films."""

    session: Session
    answers: dict[int, dict[str, float]] = field(default_factory=dict)
    adults: set[int] = field(default_factory=set)
    hours: int = 0

    def add(self, version: str) -> None:
        """Make an ensemble known; the first one is active at once."""
        of_adults = ADULT_THRESHOLDS.get(version)
        others = {} if of_adults is None else {"adults": of_adults}
        facts = EnsembleFacts(version, THRESHOLDS[version], "1", others=others)
        register(self.session, facts, NOW)

    def answer(self, image_id: int, version: str) -> ImageScore:
        """The score of a film by an ensemble, for its population."""
        value = self.answers[image_id][version]
        is_adult = image_id in self.adults and version in ADULT_THRESHOLDS
        return ImageScore(value, {"cnn": value}, population="adults" if is_adult else None)

    @contextmanager
    def unit(self) -> Iterator[UnitOfWork]:
        self.hours += 1
        unit = UnitOfWork(self.session, NOW + timedelta(hours=self.hours), TELLING)
        yield unit
        unit.write()

    def active(self) -> EnsembleVersion:
        ensemble = active_ensemble(self.session)
        assert ensemble is not None
        return ensemble

    def work(self, unit: UnitOfWork, limit: int = 100) -> None:
        """Prepare and score what waits, as workers do."""
        while claimed := claim_received(unit):
            mark_ready(unit, claimed, "1")
        ensemble = self.active()
        claims = claim_ready(unit, limit, "1")
        results = [(claim, self.answer(claim.image_id, ensemble.version)) for claim in claims]
        record(unit, results, ensemble)


Happening = Callable[[SimulatedSite], None]
answers = st.fixed_dictionaries({name: st.sampled_from(PROBABILITIES) for name in THRESHOLDS})
studies = st.sampled_from(STUDIES)


def film(
    study: str, answers: dict[str, float], *, is_refused: bool, is_adult: bool = False
) -> Happening:
    def comes_in(site: SimulatedSite) -> None:
        with site.unit() as unit:
            refusal = Refused(RefusalCode.TRUNCATED) if is_refused else None
            header = a_header(
                patient_id="P1", accession_number=f"A{study}", study_datetime=TAKEN_AT[study]
            )
            image = an_image(unit, unit.at, study=study, header=header, refusal=refusal)
            site.answers[image.id] = answers
            site.adults |= {image.id} if is_adult else set()
            site.work(unit)

    return comes_in


def promotion(version: str) -> Happening:
    def is_promoted(site: SimulatedSite) -> None:
        site.add(version)
        with site.unit() as unit:
            rank_again(unit, promote(site.session, version, unit.at), limit=100)

    return is_promoted


def night(limit: int) -> Happening:
    def passes(site: SimulatedSite) -> None:
        with site.unit() as unit:
            make_ready_again(unit, site.active(), limit=limit)
            site.work(unit)

    return passes


def threshold(version: str, value: float) -> Happening:
    def is_chosen(site: SimulatedSite) -> None:
        site.add(version)
        active = active_thresholds(site.session).by_ensemble[version]
        if active.value != value:
            new = NewThreshold(
                ensemble_version=version,
                value=value,
                method=ThresholdMethod.VALUE,
                evidence={},
                chosen_by="ann",
            )
            assert activate_new(site.session, new, NOW).version > active.version

    return is_chosen


def threshold_before(version: str) -> Happening:
    def is_active_again(site: SimulatedSite) -> None:
        if previous_threshold(site.session, version) is not None:
            activate_previous(site.session, version, NOW)

    return is_active_again


def sweep(site: SimulatedSite) -> None:
    """Rank by new thresholds, as workers do, in slices."""
    ranked = True
    while ranked:
        with site.unit() as unit:
            ranked = bool(rank_by_threshold(unit, site.active(), limit=2))


def verdict(study: str, *, withdrawn: bool) -> Happening:
    def is_given(site: SimulatedSite) -> None:
        with site.unit() as unit:
            row = site.session.scalars(select(Study).filter_by(study_instance_uid=study)).first()
            if row is not None and (not withdrawn or row.read_at is not None):
                verdict = VerdictInput(withdrawn=withdrawn)
                submit_verdict(unit, study, verdict, NOBODY, expected=None)

    return is_given


def reading_anyway(study: str) -> Happening:
    def is_said(site: SimulatedSite) -> None:
        with site.unit() as unit:
            read_anyway(unit, study, NOBODY)

    return is_said


def stat_copy(study: str) -> Happening:
    def comes_in(site: SimulatedSite) -> None:
        with site.unit() as unit:
            of_study = select(Image).join(Study).where(Study.study_instance_uid == study)
            image = site.session.scalars(of_study).first()
            if image is not None:
                add_copy(unit, a_copy_of(image, unit.at, stat=True), image)

    return comes_in


def refuse_a_scored_film_and_try_it_again(study: str) -> Happening:
    """Scored once, it is refused at a later scoring; its header then says another study."""

    def happens(site: SimulatedSite) -> None:
        with site.unit() as unit:
            make_ready_again(unit, site.active(), limit=1, again=True)
            ready = site.session.scalars(select(Image).where(Image.state == ImageState.READY))
            for image in ready.all():
                image.state = ImageState.REFUSED
                image.code = RefusalCode.TRUNCATED
        with site.unit() as unit:
            refused = select(Image.id).where(Image.state == ImageState.REFUSED)
            for number in site.session.scalars(refused).all():
                refused_film = refused_image(unit, number)
                assert refused_film is not None
                identity = Identity(
                    study_instance_uid=study,
                    series_instance_uid="",
                    sop_instance_uid=refused_film.sop_instance_uid,
                )
                try_again(unit, refused_film, identity, a_header(), refusal=None)
            site.work(unit)

    return happens


def order(study: str, *, is_urgent: bool, is_cancelled: bool) -> Happening:
    def comes_in(site: SimulatedSite) -> None:
        with site.unit() as unit:
            take_order(
                unit,
                ImagingOrder(
                    accession_number=f"A{study}",
                    patient=Patient(patient_id="P1"),
                    priority="S" if is_urgent else "R",
                    is_urgent=is_urgent,
                    is_cancelled=is_cancelled,
                ),
            )

    return comes_in


def report(study: str, status: ReportStatus) -> Happening:
    def comes_in(site: SimulatedSite) -> None:
        with site.unit() as unit:
            take_report(
                unit,
                ImagingReport(
                    accession_number=f"A{study}",
                    study_instance_uid=None,
                    patient=Patient(patient_id="P1"),
                    status=status,
                    at=unit.at,
                ),
            )

    return comes_in


happenings = st.one_of(
    st.builds(film, studies, answers, is_refused=st.booleans(), is_adult=st.booleans()),
    st.builds(promotion, st.sampled_from(sorted(THRESHOLDS))),
    st.builds(threshold, st.sampled_from(sorted(THRESHOLDS)), st.sampled_from(PROBABILITIES)),
    st.builds(threshold_before, st.sampled_from(sorted(THRESHOLDS))),
    st.builds(night, st.sampled_from((1, 100))),
    st.builds(verdict, studies, withdrawn=st.booleans()),
    st.builds(stat_copy, studies),
    st.builds(reading_anyway, studies),
    st.builds(refuse_a_scored_film_and_try_it_again, studies),
    st.builds(order, studies, is_urgent=st.booleans(), is_cancelled=st.booleans()),
    st.builds(report, studies, st.sampled_from(ReportStatus)),
)


def threshold_of(score: Score, current: ActiveThresholds) -> ActiveThreshold:
    """The threshold of a score: a site chooses for first populations only."""
    if score.population is None:
        return current.by_ensemble[score.ensemble_version]
    assert score.population == "adults"
    return ActiveThreshold(ADULT_THRESHOLDS[score.ensemble_version], 1)


def deciding(scores: list[Score], version: str, current: ActiveThresholds) -> Score | None:
    """The score that a study should rank by, found the long way."""
    chosen = []
    for image_id in {score.image_id for score in scores}:
        own = [score for score in scores if score.image_id == image_id]
        of_version = [score for score in own if score.ensemble_version == version]
        chosen += of_version or [max(own, key=lambda score: score.id)]
    flagged = [score for score in chosen if score.probability >= threshold_of(score, current).value]
    candidates = sorted(flagged or chosen, key=lambda score: (-score.probability, score.id))
    return candidates[0] if candidates else None


def check(session: Session) -> None:
    """Hold every study against its scores and its events."""
    active = active_ensemble(session)
    assert active is not None
    current = active_thresholds(session)
    messages = Counter(session.scalars(select(OutboxMessage.study_id)))
    counting = {row.version for row in session.scalars(select(EnsembleVersion)) if row.activated_at}
    for study in session.scalars(select(Study)):
        every = [score for image in study.images for score in image.scores]
        # Those of a shadow count once it is the active ensemble.
        scores = [score for score in every if score.ensemble_version in counting]
        if active.version in {score.ensemble_version for score in scores}:
            assert study.ranked_by == active.version
        flagged = study.flagged
        if study.threshold_change == current.change or not scores:
            check_rank(study, scores, active.version, current)
        else:
            # What was read ranks by the threshold by which it was read.
            assert study.read_at is not None
            assert study.score_id in {score.id for score in scores}
        if study.probability is not None and study.threshold is not None:
            assert study.flagged == (study.probability >= study.threshold)
        assert study.reading_key == study.received_at - (MAX_WAIT if flagged else timedelta(0))
        events = session.scalars(
            select(Event).where(Event.study_id == study.id).order_by(Event.id)
        ).all()
        flags = [event for event in events if event.action in ("flagged", "flag_withdrawn")]
        turns = [EventAction.FLAGGED, EventAction.FLAG_WITHDRAWN] * len(flags)
        assert [event.action for event in flags] == turns[: len(flags)]
        assert flagged == (len(flags) % 2 == 1)
        assert messages[study.id] == sum(event.detail.get("alert", False) for event in flags)
        turns = [EventAction.PRIOR, EventAction.NO_PRIOR] * len(events)
        priors = [event.action for event in events if event.action in ("prior", "no_prior")]
        assert priors == turns[: len(priors)]
        assert (study.prior_since is not None) == (len(priors) % 2 == 1)
        check_sentence(session, study)
        check_read(session, study, events)
    check_priors(session)


def check_read(session: Session, study: Study, events: Sequence[Event]) -> None:
    """Read by a verdict, or elsewhere; STAT for good once it was so, by film or order."""
    marks = [event.action for event in events if event.action in ("read", "unread")]
    assert marks == ([EventAction.READ, EventAction.UNREAD] * len(marks))[: len(marks)]
    assert (study.read_at is not None) == (len(marks) % 2 == 1)
    if study.reported_at is not None:
        assert study.read_at is not None
    verdicts = session.scalars(select(Verdict).where(Verdict.study_id == study.id)).all()
    if study.read_at is not None and study.read_at != study.reported_at:
        assert verdicts[-1].at == study.read_at
    raised = [event for event in events if event.action == EventAction.RAISED_TO_STAT]
    assert study.stat == (len(raised) > 0)
    if has_urgent_order(session, study):
        assert study.stat


def check_rank(
    study: Study, scores: list[Score], active_version: str, current: ActiveThresholds
) -> None:
    """Hold a study against its scores, and against the thresholds that count now."""
    score = deciding(scores, study.ranked_by or active_version, current)
    ranked = (study.score_id, study.flagged, study.threshold, study.threshold_version)
    if score is None:
        assert ranked == (None, False, None, None)
        return
    own = threshold_of(score, current)
    flagged = score.probability >= own.value
    assert ranked == (score.id, flagged, own.value, own.version)
    by = (study.probability, study.ensemble_version, study.population)
    assert by == (score.probability, score.ensemble_version, score.population)


def check_priors(session: Session) -> None:
    """Hold unread studies against the rule of priors, from nothing but their dates."""
    visible = session.scalars(select(Study).where(Study.images.any())).all()
    for study in visible:
        if study.read_at is not None:
            continue
        of_patient = [other for other in visible if other.patient_id == study.patient_id]
        dates = [other.study_datetime for other in of_patient if other.study_datetime is not None]
        taken_at = study.study_datetime
        age = timedelta(0) if taken_at is None else study.received_at - taken_at
        newer = any(at > taken_at for at in dates if taken_at is not None)
        old = age >= AFTER or (age >= timedelta(days=1) and newer)
        expected = old and not study.stat and not study.never_prior
        assert (study.prior_since is not None) == expected
    work = [uid for (uid,) in session.execute(select(Study.study_instance_uid).where(is_unread()))]
    unread = {study.study_instance_uid for study in visible if study.read_at is None}
    priors = {study.study_instance_uid for study in visible if study.prior_since is not None}
    assert unread & set(work) == unread - priors


def check_sentence(session: Session, study: Study) -> None:
    """Flag, probability and threshold, as they are shown, are of one score."""
    detail = study_detail(session, study.study_instance_uid, display=AS_STORED)
    if detail is None or detail.study.probability is None or detail.study.threshold is None:
        return
    assert detail.study.flagged == (detail.study.probability >= detail.study.threshold)
    if detail.study.flagged:
        assert "AI " in detail.study.why


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(happenings, min_size=1, max_size=12))
def test_a_study_stands_where_its_scores_put_it_in_whatever_order_they_come(
    shared_database: Database, happened: list[Happening]
) -> None:
    writer = shared_database.engine.execution_options(readfirst_write=True)
    with Session(writer, expire_on_commit=False) as session:
        site = SimulatedSite(session)
        for version in THRESHOLDS:
            site.add(version)
        for happening in happened:
            happening(site)
            sweep(site)
            session.flush()
            session.expire_all()
            check(session)
        session.rollback()
