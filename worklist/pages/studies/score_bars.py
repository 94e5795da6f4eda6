"""The scores of a study as bars: by image, by ensemble version, and by member. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from db.read_models import ImageRecord, ScoreRecord
from readfirst.language.texts import gettext
from readfirst.studies.marks import Mark, Validity, validity_of
from readfirst.studies.populations import population_text
from readfirst.studies.score_marks import of_image
from worklist.services.study_texts import in_percent, minute


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberBar:
    """The probability by one network, in per cent."""

    name: str
    probability: float


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionBar:
    """The score of an image by one ensemble version. Numbers in per cent.

    least, most: of its members; spread: between them.
    """

    version: str
    #: In words; empty for the ensemble's first.
    population: str
    probability: float
    threshold: float
    least: float
    most: float
    spread: float
    flagged: bool
    members: tuple[MemberBar, ...]
    scored: str
    #: By its own marks and those of its image: it may flag, and never speaks against.
    validity: Validity
    #: The sentences of its own marks.
    doubts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageScores:
    """The scores of an image, the latest version first. label: empty for a study of one image."""

    sha256: str
    label: str
    versions: tuple[VersionBar, ...]


def image_scores(
    images: Sequence[ImageRecord], scores: Sequence[ScoreRecord], zone: ZoneInfo
) -> tuple[ImageScores, ...]:
    """The scores of every image that has any."""
    by_image = [
        ImageScores(
            sha256=image.sha256,
            label=gettext("Image {number}").format(number=number) if len(images) > 1 else "",
            versions=tuple(
                _bar(score, of_image(image.marks), zone)
                for score in reversed(scores)
                if score.sha256 == image.sha256
            ),
        )
        for number, image in enumerate(images, 1)
    ]
    return tuple(scores_of for scores_of in by_image if scores_of.versions)


def _bar(score: ScoreRecord, image_marks: Sequence[Mark], zone: ZoneInfo) -> VersionBar:
    members = sorted(score.members.values()) or [score.probability]
    return VersionBar(
        version=score.ensemble_version,
        population=population_text(score.population) if score.population else "",
        probability=in_percent(score.probability),
        threshold=in_percent(score.threshold),
        least=in_percent(members[0]),
        most=in_percent(members[-1]),
        spread=in_percent(members[-1] - members[0]),
        flagged=score.flagged,
        members=tuple(
            MemberBar(name=name, probability=in_percent(value))
            for name, value in sorted(score.members.items())
        ),
        scored=minute(score.scored_at, zone),
        validity=validity_of((*image_marks, *score.marks)),
        doubts=tuple(each.reason for each in score.marks),
    )
