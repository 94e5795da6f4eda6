"""Series and instances across studies, by what QIDO-RS searches for, the latest study first."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import Session, aliased, contains_eager

from db.dicomweb.records import DicomImage, DicomStudy
from db.dicomweb.search import LATEST_FIRST, StudyMatch, is_dicom, study_conditions, study_record
from db.disclosures import searched
from db.tables import Image, Study
from readfirst.domain import ImageState


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageMatch:
    """The images that are wanted. Empty values match every image. modalities: any of them."""

    study: StudyMatch
    series_instance_uids: tuple[str, ...] = ()
    sop_instance_uids: tuple[str, ...] = ()
    modalities: tuple[str, ...] = ()


def find_images(
    session: Session, match: ImageMatch, *, limit: int, offset: int = 0, by_series: bool = False
) -> list[tuple[DicomStudy, DicomImage]]:
    """Return DICOM images that match, each with its study; by_series: of a series one alone."""
    for _, text in match.study.texts:
        searched(text)
    images = aliased(Image)
    of_study = exists().where(images.study_id == Study.id, *_conditions(images, match, by_series))
    # Each of them has an image, so that no more are needed; their order is that of an index.
    studies = (
        select(Study.id)
        .where(of_study, *study_conditions(match.study))
        .order_by(*LATEST_FIRST)
        .limit(offset + limit)
        .subquery()
    )
    query = (
        select(Image)
        .join(Image.study)
        .where(Study.id.in_(select(studies.c.id)), *_conditions(Image, match, by_series))
        .options(contains_eager(Image.study).selectinload(Study.images))
        .order_by(*LATEST_FIRST, Image.id)
        .limit(limit)
        .offset(offset)
    )
    pairs: list[tuple[DicomStudy, DicomImage]] = []
    records: dict[int, DicomStudy] = {}
    for image in session.scalars(query):
        study = records.get(image.study_id) or study_record(image.study)
        records[image.study_id] = study
        pairs += [(study, each) for each in study.images if each.sha256 == image.sha256]
    return pairs


def _conditions(
    image: type[Image], match: ImageMatch, by_series: bool
) -> list[ColumnElement[bool]]:
    conditions = [*is_dicom(image), _is_first(image, by_series)]
    for column, values in (
        (image.series_instance_uid, match.series_instance_uids),
        (image.sop_instance_uid, match.sop_instance_uids),
        (image.modality, match.modalities),
    ):
        if values:
            conditions.append(column.in_(values))
    return conditions


def _is_first(image: type[Image], by_series: bool) -> ColumnElement[bool]:
    """Nothing else of its study with the same UID goes before: accepted ones, then the earliest."""
    other = aliased(Image)
    same = (
        other.series_instance_uid == image.series_instance_uid
        if by_series
        else other.sop_instance_uid == image.sop_instance_uid
    )
    is_refused, other_is = (each.state == ImageState.REFUSED for each in (image, other))
    earlier = and_(is_refused == other_is, other.id < image.id)
    before = or_(and_(is_refused, ~other_is), earlier)
    return ~exists().where(other.study_id == image.study_id, same, *is_dicom(other), before)
