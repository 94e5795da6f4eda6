"""From a claimed archive to its films: each member comes in as a file of its own.

All or nothing: an archive that is damaged or breaks a bound is refused as a whole, and kept. A run
that dies in the middle unpacks it again, and what had come in already is known by its claim.
"""

import hashlib
import shutil
from pathlib import Path

import structlog

from ingest.archive import Member, member_path, unpacked
from ingest.claim import Claim, release
from readfirst.errors import Refused
from readfirst.refusals import RefusalCode
from worker.intake import ASIDE, take_in
from worker.resources import Resources

log = structlog.get_logger()
#: Viewers, pages and thumbnails of an export, which are nobody's films, alarm nobody.
ASIDE_IN_ARCHIVES = ASIDE | {RefusalCode.NOT_AN_IMAGE}


def take_in_archive(claim: Claim, resources: Resources) -> None:
    """Bring what a claimed archive holds into the store and the database.

    Raises as `worker.intake.take_in` does; the archive then stays claimed.
    """
    refusal = _take_in_members(claim, resources)
    if refusal is not None:
        take_in(claim, resources, verdict=refusal)
        return
    release(claim)


def take_in_kept(sha256: str, relative_path: str, resources: Resources) -> Refused:
    """Bring in what a refused archive holds, from its kept original, which stays where it is.

    Returns why it is refused again, or that its images have come in. Repeated, it doubles nothing.
    """
    original = resources.store.path(sha256)
    as_claim = Claim(sha256[:32], original, Path(relative_path), original.parent)
    return _take_in_members(as_claim, resources) or Refused(RefusalCode.ARCHIVE_UNPACKED)


def _take_in_members(claim: Claim, resources: Resources) -> Refused | None:
    """Take in every member of an archive; why it cannot be unpacked, if so."""
    folder = resources.settings.unpacking_path / claim.claim_id
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        members = _unpack(claim, folder, resources)
        if isinstance(members, Refused):
            return members
        for member in members:
            take_in(_as_claim(claim, member, folder), resources, aside=ASIDE_IN_ARCHIVES)
        log.info("archive_taken_in", action="take_in", claim=claim.claim_id, files=len(members))
        return None
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _unpack(claim: Claim, folder: Path, resources: Resources) -> list[Member] | Refused:
    try:
        resources.reader.unpack(claim.path, folder)
    except Refused as refusal:
        if refusal.code is RefusalCode.DECODER_TIMEOUT:
            return Refused(RefusalCode.ARCHIVE_TOO_LARGE, "unpacking took too long")
        return refusal
    return unpacked(folder)


def _as_claim(archive: Claim, member: Member, folder: Path) -> Claim:
    """A member as a file that this ingester holds, by the same id however often it is unpacked."""
    told = f"{archive.claim_id}/{member.path.name}"
    return Claim(
        claim_id=hashlib.sha256(told.encode()).hexdigest()[:32],
        path=member.path,
        relative_path=member_path(archive.relative_path, member.name),
        root=folder,
    )
