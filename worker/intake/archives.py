"""The way of a claimed archive to its films: each member comes in as a file of its own.

All or nothing: an archive that is damaged or breaks a bound is refused as a whole, and kept. A run
that dies in the middle unpacks it again, and what had come in already is known by its claim.
"""

import hashlib
import shutil
from pathlib import Path

import structlog

from ingest.inbox.archive import ArchiveMember, member_path, unpacked
from ingest.inbox.claim import Claim
from ingest.inbox.release import release
from ingest.inbox.watcher.stability import unchanged
from readfirst.errors import Refused
from readfirst.refusals import RefusalCode
from worker.intake.services import IntakeServices
from worker.intake.take_in import take_in

log = structlog.get_logger()


def take_in_archive(claim: Claim, services: IntakeServices) -> None:
    """Bring the content of a claimed archive into the store and the database.

    Raises as `worker.intake.take_in.take_in` does; the archive then stays claimed.
    """
    refusal = _take_in_members(claim, services)
    if refusal is not None:
        take_in(claim, services, refusal=refusal)
        return
    release(claim)


def take_in_kept(sha256: str, relative_path: str, services: IntakeServices) -> Refused:
    """Bring in the content of a refused archive, from its kept original, which stays where it is.

    Returns why it is refused again, or that its images have come in. Repeated, it doubles nothing.
    """
    original = services.store.path(sha256)
    as_claim = Claim(sha256[:32], original, Path(relative_path), original.parent)
    return _take_in_members(as_claim, services) or Refused(RefusalCode.ARCHIVE_UNPACKED)


def _take_in_members(claim: Claim, services: IntakeServices) -> Refused | None:
    """Take in every member of an archive; why it cannot be unpacked, if so."""
    folder = services.unpacking_folder / claim.claim_id
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        members = _unpack(claim, folder, services)
        if isinstance(members, Refused):
            return members
        for member in members:
            take_in(_as_claim(claim, member, folder), services, is_member=True)
        log.info("archive_taken_in", action="take_in", claim=claim.claim_id, files=len(members))
        return None
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _unpack(claim: Claim, folder: Path, services: IntakeServices) -> list[ArchiveMember] | Refused:
    try:
        with unchanged(claim.path):
            services.reader.unpack(claim.path, folder)
    except Refused as refusal:
        if refusal.code is RefusalCode.DECODER_TIMEOUT:
            return Refused(RefusalCode.ARCHIVE_TOO_LARGE, "unpacking took too long")
        return refusal
    return unpacked(folder)


def _as_claim(archive: Claim, member: ArchiveMember, folder: Path) -> Claim:
    """Return a member as a claimed file, by the same id however often it is unpacked."""
    name = f"{archive.claim_id}/{member.path.name}"
    return Claim(
        claim_id=hashlib.sha256(name.encode()).hexdigest()[:32],
        path=member.path,
        relative_path=member_path(archive.relative_path, member.name),
        root=folder,
    )
