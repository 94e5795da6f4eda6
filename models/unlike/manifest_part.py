"""The check of unlike films, as the manifest of an ensemble names it."""

from pydantic import BaseModel, ConfigDict, Field

from models.digests import FileName


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class MarkedShare(_Frozen):
    """Films of a kind, how many of them are marked, and the ends of the share's 95 % interval."""

    films: int = Field(ge=1)
    marked: int = Field(ge=0)
    low: float
    high: float


class UnlikeFigures(_Frozen):
    """Shares marked of films that the check was not fitted on, each by name.

    acquisitions: held-out films under each simulated acquisition. groups: the same films as they
    are, by group. elsewhere: films of other people, by source, population and view. unseen:
    adults' films of a hospital by a check that was fitted without that hospital.
    unseen_groups: held-out films of a group by checks that were fitted without that group.
    """

    acquisitions: dict[str, MarkedShare]
    groups: dict[str, MarkedShare] = Field(default_factory=dict)
    elsewhere: dict[str, MarkedShare] = Field(default_factory=dict)
    unseen: dict[str, MarkedShare] = Field(default_factory=dict)
    unseen_groups: dict[str, MarkedShare] = Field(default_factory=dict)


class UnlikeCheck(_Frozen):
    """The check that tells a film unlike those of the validation from a member's own features.

    member, layer: whose output is read; its channels are averaged over cells x cells parts of the
    film. file: the contrast that makes one number of them. A film is marked where that number
    reaches the threshold.
    """

    member: str
    layer: str
    cells: int = Field(ge=1, le=16)
    file: FileName
    sha256: str
    threshold: float
    method: str
    #: Share of the validated films that the threshold was set to mark.
    false_marks: float = Field(gt=0, lt=1)
    figures: UnlikeFigures
