"""The scores of a study as bars: by image, by ensemble version, and by member. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from db.views import ImageView, ScoreView


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberBar:
    """What one network says, in per cent."""

    name: str
    probability: float


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionBar:
    """What one ensemble version says of one image. Numbers in per cent.

    least, most: of its members; spread: between them.
    """

    version: str
    probability: float
    threshold: float
    least: float
    most: float
    spread: float
    flagged: bool
    members: tuple[MemberBar, ...]
    scored: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageScores:
    """The scores of one image, the latest version first. label: empty for a study of one image."""

    sha256: str
    label: str
    #: They are not validated: they may flag, and never speak against.
    marked: bool
    versions: tuple[VersionBar, ...]


def image_scores(
    images: Sequence[ImageView], scores: Sequence[ScoreView], zone: ZoneInfo
) -> tuple[ImageScores, ...]:
    """Those of every image that has any."""
    found = [
        ImageScores(
            sha256=image.sha256,
            label=f"Image {place}" if len(images) > 1 else "",
            marked=bool(image.marks),
            versions=tuple(
                _bar(score, zone) for score in reversed(scores) if score.sha256 == image.sha256
            ),
        )
        for place, image in enumerate(images, 1)
    ]
    return tuple(one for one in found if one.versions)


def _bar(score: ScoreView, zone: ZoneInfo) -> VersionBar:
    said = sorted(score.members.values()) or [score.probability]
    return VersionBar(
        version=score.ensemble_version,
        probability=_percent(score.probability),
        threshold=_percent(score.threshold),
        least=_percent(said[0]),
        most=_percent(said[-1]),
        spread=_percent(said[-1] - said[0]),
        flagged=score.flagged,
        members=tuple(
            MemberBar(name=name, probability=_percent(value))
            for name, value in sorted(score.members.items())
        ),
        scored=_minute(score.scored_at, zone),
    )


def _minute(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).strftime("%d %b %Y %H:%M")


def _percent(value: float) -> float:
    return round(100 * value, 2)
