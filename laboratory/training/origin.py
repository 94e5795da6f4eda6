"""Notes of what trained or half-trained weights were made of, so that a run goes on from its own.

A training that went on from weights that saw other films would be measured on films that it knows.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from readfirst.errors import Misconfigured


def origin_of(*facts: object, arrays: Iterable[np.ndarray] = ()) -> str:
    """Return a digest of all that a training depends on. facts: by their `repr`."""
    digest = hashlib.sha256(repr(facts).encode())
    for array in arrays:
        digest.update(repr((array.shape, array.dtype.str)).encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def check_origin(note: Path, origin: str, made: Path) -> None:
    """Raise Misconfigured if the note beside what was made names another origin.

    Without a note nothing is known of it, as of weights that somebody put there.
    """
    if note.exists() and note.read_text() != origin:
        raise Misconfigured(
            f"{made} was made by another recipe, from other films or with another seed. Remove it "
            "to begin anew, or name another folder."
        )


def note_origin(note: Path, origin: str) -> None:
    """Write the note beside what was made."""
    note.write_text(origin)
