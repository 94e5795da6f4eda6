"""A study is fetched: what is missing of it, and nothing that is here already."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from db.pacs.fetches import (
    LEASE,
    FetchClaim,
    finish_fetch,
    give_back,
    known_images,
    renew_fetch,
)
from db.session import Database
from ingest.pacs.client import PacsClient
from readfirst.errors import Unavailable
from readfirst.pacs.fetches import FetchState
from readfirst.pacs.matches import Retrieved, RetrieveTarget
from worker.pacs.renewing import renewing

log = structlog.get_logger()
NOTHING_SENT = "The PACS sent nothing, and says that all is well."


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedStudy:
    """The result for one study. state: FOUND if it waits on, since somebody ended it."""

    study_instance_uid: str
    state: FetchState
    images: int
    reason: str | None


def fetch_study(
    database: Database,
    client: PacsClient,
    claim: FetchClaim,
    *,
    is_last: bool,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> FetchedStudy:
    """Fetch a study that this process has claimed, and write what came of it.

    Raises Unavailable when the PACS, the disk or the database does not answer; the study waits on.
    """
    uid = claim.study_instance_uid
    try:
        with database.read() as session:
            known = known_images(session, uid)
        with renewing(database, lambda session, at: renew_fetch(session, claim, at), LEASE):
            missing = missing_parts(client, uid, known, claim.images)
            result = _retrieve(client, missing.parts)
    except Unavailable:
        with database.write() as session:
            give_back(session, claim)
        raise
    with database.write() as session:
        if result.cancelled:
            give_back(session, claim)
            state: FetchState | None = FetchState.FOUND
        else:
            there = missing.images_there
            images = result.images if there is None else there
            state = finish_fetch(session, claim, result, clock(), images=images, is_last=is_last)
    log.info(
        "study_fetched" if result.reason is None else "study_not_fetched",
        action="fetch",
        study_instance_uid=uid,
        images=result.images,
        failed=result.failed,
        warnings=result.warnings,
        reason=result.reason,
    )
    return FetchedStudy(
        study_instance_uid=uid,
        state=state or FetchState.FOUND,
        images=result.images,
        reason=result.reason,
    )


@dataclass(frozen=True, slots=True)
class MissingParts:
    """The parts of a study to retrieve. images_there: of its films; None if nobody counted them."""

    parts: list[RetrieveTarget]
    images_there: int | None = None


def missing_parts(
    client: PacsClient, study_instance_uid: str, known: frozenset[str], fetched: int
) -> MissingParts:
    """Name the parts of a study to retrieve: the films, and of them what is not here.

    In as few parts as there can be: a study of films alone is one, and so is a series. known: SOP
    Instance UIDs that are here. fetched: the images that came before, some of which may still lie
    in the inbox.
    """
    series = client.find_series(study_instance_uid)
    films = [each for each in series if each.is_film]
    if not known and not fetched:
        if len(films) == len(series):
            return MissingParts([RetrieveTarget(study_instance_uid)])
        return MissingParts(
            [RetrieveTarget(study_instance_uid, each.series_instance_uid) for each in films]
        )
    images = {
        each.series_instance_uid: client.find_images(study_instance_uid, each.series_instance_uid)
        for each in films
    }
    images_there = sum(map(len, images.values()))
    if images_there <= fetched:
        return MissingParts([], images_there)
    return MissingParts(_unknown(study_instance_uid, images, known), images_there)


def _unknown(
    study_instance_uid: str, images_by_series: Mapping[str, list[str]], known: frozenset[str]
) -> list[RetrieveTarget]:
    """Name what is not known: a series if none of it is, else single images."""
    parts = []
    for uid, images in images_by_series.items():
        missing = [image for image in images if image not in known]
        if len(missing) == len(images):
            parts += [RetrieveTarget(study_instance_uid, uid)] * bool(missing)
        else:
            parts += [RetrieveTarget(study_instance_uid, uid, image) for image in missing]
    return parts


def _retrieve(client: PacsClient, parts: list[RetrieveTarget]) -> Retrieved:
    result = Retrieved()
    for part in parts:
        result = result.plus(client.retrieve(part))
        if result.cancelled:
            return result
    if parts and not result.images and result.reason is None:
        return result.plus(Retrieved(reason=NOTHING_SENT))
    return result
