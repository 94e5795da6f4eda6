"""Heat maps: where an ensemble sees what speaks for pneumonia. The words that all parts share."""

from dataclasses import dataclass
from enum import StrEnum


class HeatMethod(StrEnum):
    """How a heat map is made."""

    GRAD_CAM = "grad_cam"
    LIME = "lime"


class HeatState(StrEnum):
    """wanted → made, or failed, until somebody wants it again."""

    WANTED = "wanted"
    MADE = "made"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Area:
    """The part of a film that the networks are shown, as shares of its height and width."""

    top: float
    left: float
    bottom: float
    right: float
