"""From a study in the database and its originals to the values that results say."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone

from db.ensembles.active_versions import ActiveVersion, versions_once_active
from db.lifecycle.events import EventAction
from db.read_models import ImageRecord, ScoreRecord, StudyDetail, StudyRecord, VerdictRecord
from db.session import Database
from db.worklist.queries import study_detail
from ingest.inbox.stored_originals import has_original
from ingest.reader.film_source import FilmSource
from readfirst.domain import FileKind, ImageState
from readfirst.errors import NotThere, Refused
from readfirst.results.reasons import NoResultCode
from readfirst.results.references import assessment_reference, report_reference
from readfirst.results.values import (
    AiResult,
    Algorithm,
    Assessment,
    ImageResult,
    ObjectReference,
    ReaderVerdict,
    ResultStudy,
    SourceImage,
)
from readfirst.studies.display import DisplayContext
from readfirst.studies.findings import Agreement, Finding
from readfirst.studies.identity import WarningCode
from readfirst.studies.score_marks import of_image
from results.services import NoResult, ResultServices

ASSESSMENTS = {
    Agreement.AGREES: Assessment.ACCEPTED,
    Agreement.FALSE_POSITIVE: Assessment.REJECTED,
    Agreement.MISSED: Assessment.MODIFIED,
}
IN_WORK = (ImageState.RECEIVED, ImageState.READY)


@dataclass(frozen=True, slots=True)
class GatheredStudy:
    """A study as results need it.

    sources: its scored films, by their digests. results: of each version that is or was active, the
    earliest first. verdicts: those that agree or disagree with the AI, each with the version that
    it is about, the earliest first.
    """

    detail: StudyDetail
    sources: Mapping[str, FilmSource]
    results: Mapping[str, AiResult]
    verdicts: tuple[tuple[str, ReaderVerdict], ...]

    def sha256_of(self, image: ImageResult) -> str:
        """The digest of the original of a film."""
        uid = image.image.sop_instance_uid
        images = (each for each in self.detail.study.images if each.sha256 in self.sources)
        return next(each.sha256 for each in images if each.sop_instance_uid == uid)

    @property
    def current(self) -> AiResult:
        """The result by which the study ranks.

        Raises NoResult where it has none, and where it would take an earlier flag back.
        """
        version = self.detail.study.ensemble_version
        if version is None or version not in self.results:
            raise NoResult(NoResultCode.NOT_SCORED)
        result = self.results[version]
        if not result.flagged and self._was_flagged:
            raise NoResult(NoResultCode.WOULD_LOWER)
        return result

    @property
    def _was_flagged(self) -> bool:
        """It was so at some time: by another version, or another threshold."""
        events = (event.action for event in self.detail.events)
        by_another = any(each.flagged for each in self.results.values())
        return by_another or EventAction.FLAGGED.value in events

    @property
    def verdict(self) -> tuple[AiResult, ReaderVerdict]:
        """The verdict that stands, and the result that it is about. Raises NoResult."""
        stands = self.detail.study.verdict
        before: ObjectReference | None = None
        for version, verdict in self.verdicts:
            if version in self.results:
                chained = replace(verdict, predecessor=before)
                if stands and verdict.number == stands.number:
                    return self.results[version], chained
                before = assessment_reference(self.results[version], chained)
        raise NoResult(NoResultCode.NO_VERDICT)


def gather(services: ResultServices, study_instance_uid: str, now: datetime) -> GatheredStudy:
    """Collect what results of a study say.

    Raises NotThere if there is no such study, NoResult if there can be no result of it, and
    MachineFault where the store is not there.
    """
    detail, versions = _rows(services.database, study_instance_uid, services.display(now))
    _check(detail.study)
    sources = _sources(services, detail.study)
    zone = _zone(next(iter(sources.values()))) or services.zone

    def wall_clock(at: datetime) -> datetime:
        return at.astimezone(zone).replace(tzinfo=None)

    results = _results(services, detail, versions, sources, wall_clock)
    verdicts = tuple(
        (verdict.ensemble_version or "", _verdict(verdict, wall_clock(verdict.at)))
        for verdict in detail.verdicts
        if verdict.agreement and not verdict.withdrawn
    )
    return GatheredStudy(detail, sources, results, verdicts)


def _results(
    services: ResultServices,
    detail: StudyDetail,
    versions: Mapping[str, ActiveVersion],
    sources: Mapping[str, FilmSource],
    wall_clock: Callable[[datetime], datetime],
) -> dict[str, AiResult]:
    """The result of each version, the earliest first, each with the one before it."""
    study = _study(detail.study, next(iter(sources.values())))
    images = {record.sha256: record for record in detail.study.images}
    results: dict[str, AiResult] = {}
    predecessor: AiResult | None = None
    for version, scores in _by_version(detail.scores, versions, sources).items():
        facts = versions[version]
        predecessor = results[version] = AiResult(
            study=study,
            algorithm=Algorithm(
                version=version,
                prevalence=services.settings.prevalence or facts.prevalence,
                manifest_sha256=facts.manifest_sha256,
            ),
            images=tuple(_image(score, images, sources) for score in scores),
            at=wall_clock(max(score.scored_at for score in scores)),
            finding=services.finding,
            predecessor=report_reference(predecessor) if predecessor else None,
            number=len(results) + 1,
        )
    return results


def _rows(
    database: Database, study_instance_uid: str, display: DisplayContext
) -> tuple[StudyDetail, dict[str, ActiveVersion]]:
    with database.read() as session:
        detail = study_detail(session, study_instance_uid, display=display)
        if detail is None:
            raise NotThere(f"No study has the UID {study_instance_uid}.")
        names = {score.ensemble_version for score in detail.scores}
        return detail, versions_once_active(session, names)


def _check(study: StudyRecord) -> None:
    """Raises NoResult for a study of which there can be none."""
    if all(image.kind != FileKind.DICOM for image in study.images):
        raise NoResult(NoResultCode.PICTURE)
    codes = {warning.code for warning in study.warnings}
    if study.shared_study_instance_uid or WarningCode.STUDY_OF_TWO_PATIENTS in codes:
        raise NoResult(NoResultCode.STUDY_UID_SHARED)
    if study.study_instance_uid_made_here:
        raise NoResult(NoResultCode.STUDY_UID_MADE_HERE)
    if study.ai_hidden:
        raise NoResult(NoResultCode.AI_HIDDEN)
    if any(image.state in IN_WORK for image in study.images):
        raise NoResult(NoResultCode.IN_WORK)
    if all(image.state is not ImageState.SCORED for image in study.images):
        raise NoResult(NoResultCode.NOT_SCORED)


def _sources(services: ResultServices, study: StudyRecord) -> dict[str, FilmSource]:
    """Read the scored films, by their digests. Raises NoResult if one of them cannot be."""
    scored = [image for image in study.images if image.state is ImageState.SCORED]
    named = [image for image in scored if not image.sop_instance_uid_made_here]
    if not named:
        raise NoResult(NoResultCode.IMAGE_UID_MADE_HERE)
    sources = {image.sha256: _source(services, image) for image in named}
    headers = [source.header for source in sources.values()]
    if not all(header.sop_class_uid and header.series_instance_uid for header in headers):
        raise NoResult(NoResultCode.HEADER_INCOMPLETE)
    if any(header.study_instance_uid != study.study_instance_uid for header in headers):
        raise NoResult(NoResultCode.STUDY_UID_SHARED)
    return sources


def _source(services: ResultServices, image: ImageRecord) -> FilmSource:
    if image.original_removed_at is not None or not has_original(services.store, image.sha256):
        raise NoResult(NoResultCode.ORIGINAL_REMOVED)
    try:
        return services.reader.source(services.store.path(image.sha256))
    except Refused as refusal:
        raise NoResult(NoResultCode.FILM_UNREADABLE, refusal.reason) from refusal


def _zone(source: FilmSource) -> timezone | None:
    """The zone that a film names, of all its times."""
    at = source.header.study_datetime
    offset = at.utcoffset() if at else None
    return None if offset is None else timezone(offset)


def _study(record: StudyRecord, source: FilmSource) -> ResultStudy:
    at = source.header.study_datetime
    return ResultStudy(
        study_instance_uid=record.study_instance_uid,
        study_id=source.study_id,
        study_datetime=at.replace(tzinfo=None) if at else None,
        utc_offset=f"{at:%z}"[:5] or None if at else None,
        accession_number=record.accession_number,
        study_description=record.study_description,
        referring_physician_name=record.referring_physician_name,
        patient_id=record.patient_id,
        issuer_of_patient_id=record.issuer_of_patient_id,
        patient_name=record.patient_name,
        patient_birth_date=record.patient_birth_date,
        patient_sex=record.patient_sex,
        orders=source.orders,
    )


def _by_version(
    scores: Sequence[ScoreRecord],
    versions: Mapping[str, ActiveVersion],
    sources: Mapping[str, FilmSource],
) -> dict[str, list[ScoreRecord]]:
    """Part the scores by version, in the order in which the versions came to score."""
    parts: dict[str, list[ScoreRecord]] = {}
    for score in scores:
        if score.ensemble_version in versions and score.sha256 in sources:
            parts.setdefault(score.ensemble_version, []).append(score)
    return parts


def _image(
    score: ScoreRecord, images: Mapping[str, ImageRecord], sources: Mapping[str, FilmSource]
) -> ImageResult:
    record, source = images[score.sha256], sources[score.sha256]
    header = source.header
    return ImageResult(
        image=SourceImage(
            sop_class_uid=header.sop_class_uid or "",
            sop_instance_uid=record.sop_instance_uid,
            series_instance_uid=header.series_instance_uid or "",
            rows=header.rows,
            columns=header.columns,
            laterality=header.laterality if header.laterality in ("L", "R") else None,
            patient_orientation=source.patient_orientation,
        ),
        probability=score.probability,
        threshold=score.threshold,
        threshold_version=score.threshold_version,
        flagged=score.flagged,
        marks=tuple(
            (mark.code.value, mark.reason) for mark in (*of_image(record.marks), *score.marks)
        ),
        scored_at=score.scored_at,
    )


def _verdict(record: VerdictRecord, at: datetime) -> ReaderVerdict:
    if record.agreement is None:
        raise ValueError(f"verdict {record.number} neither agrees nor disagrees")
    return ReaderVerdict(
        number=record.number,
        at=at,
        assessment=ASSESSMENTS[record.agreement],
        present=record.finding is Finding.PNEUMONIA,
        by=record.by,
    )
