"""Letting go of a claimed file: it is removed once it is safe elsewhere, or put back."""

from pathlib import Path

from ingest.inbox.claim import Claim
from ingest.inbox.confined_paths import move
from ingest.inbox.file_names import CLAIMED
from ingest.inbox.folders import remove_empty


def release(claim: Claim) -> None:
    """Remove a claimed file, which is safe in the store, and the folders made for it."""
    claim.path.unlink(missing_ok=True)
    remove_empty(claim.path.parent, claim.root)


def give_back(inbox: Path, claim: Claim) -> None:
    """Put a file back where it lay, as when it cannot be read; the next scan finds it again.

    It stays claimed if another file has taken its place meanwhile, or if the inbox is gone.
    """
    # By its path, which holds the bytes of its name; `relative_path` may have replaced some.
    original_path = inbox / claim.path.relative_to(inbox / CLAIMED / claim.claim_id)
    if original_path.exists() or not claim.path.exists():
        return
    source, target = claim.path.relative_to(inbox), original_path.relative_to(inbox)
    move(inbox, source, target, as_open=True)
    release(claim)
