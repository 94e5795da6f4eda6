"""Originals in the store: is one gone for good, or is the store itself not there at the moment."""

import stat
from pathlib import Path

from ingest.inbox.store import Store
from readfirst.machine_faults import FaultCode, MachineFault


def has_original(store: Store, sha256: str) -> bool:
    """Tell whether an original is kept.

    Raises MachineFault where the store itself is not there, as when it is not mounted.
    """
    try:
        if _is_file(store.path(sha256)):
            return True
        is_there = next(store.root.iterdir(), None) is not None
    except OSError as error:
        raise MachineFault(FaultCode.ORIGINALS_UNAVAILABLE, error.strerror or "") from error
    if not is_there:
        raise MachineFault(FaultCode.ORIGINALS_UNAVAILABLE, f"nothing is in {store.root}")
    return False


def _is_file(path: Path) -> bool:
    """Tell whether a file is there. Raises OSError when nobody can tell, unlike `Path.is_file`."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except FileNotFoundError:
        return False
