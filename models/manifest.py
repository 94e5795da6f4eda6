"""Manifest of an ensemble: members, operating point, and on whom it was measured."""

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from models.digests import FileName, file_sha256
from models.populations.applying import LogitScaling, Populations
from models.populations.population import Population
from models.preprocessing import AS_IT_IS, FilmView
from models.unlike.manifest_part import UnlikeCheck
from readfirst.domain import FIRST_POPULATION, Ages
from readfirst.errors import Misconfigured
from readfirst.files.whole_files import written_whole
from readfirst.language.texts import gettext

#: The ensembles that come with ReadFirst, a folder for each version.
SHIPPED = Path(__file__).parent / "ensembles"
MANIFEST_FILE = "manifest.json"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Estimate(_Frozen):
    """A figure with its 95 % interval, from a bootstrap over patients."""

    value: float
    low: float
    high: float


class Metrics(_Frozen):
    """Figures of an ensemble on patients that it never saw, at its operating point."""

    images: int
    patients: int
    pneumonia: int
    auc: Estimate
    sensitivity: Estimate
    specificity: Estimate
    accuracy: Estimate
    f1: Estimate
    #: At `prevalence`, from sensitivity and specificity (Bayes). None where the ensemble flags
    #: nobody, or everybody.
    ppv: Estimate | None
    npv: Estimate | None
    prevalence: float
    #: Expected calibration error, ten bins of equal width.
    ece: Estimate
    #: The same, of probabilities restated for the share of pneumonia among these films. None where
    #: nobody knows what they presuppose, or nobody measured it.
    ece_at_own_prevalence: Estimate | None = None


class EnsembleMember(_Frozen):
    """A network of an ensemble. weight: its share of the combined logit."""

    name: str
    network: str
    file: FileName
    sha256: str
    input_size: int
    parameters: int
    weight: float
    #: The framings in which it sees every film; its logits are averaged.
    views: tuple[FilmView, ...] = (AS_IT_IS,)


class PlattScaling(_Frozen):
    """Platt's scaling of a logit: probability = sigmoid(slope x logit + intercept)."""

    slope: float
    intercept: float

    def then(self, again: "PlattScaling") -> "PlattScaling":
        """The scaling that does what this one does, and then another."""
        return PlattScaling(
            slope=again.slope * self.slope,
            intercept=again.slope * self.intercept + again.intercept,
        )


class PixelCheck(_Frozen):
    """The network that tells a frontal chest film from any other image."""

    network: str
    file: FileName
    sha256: str
    input_size: int
    parameters: int
    #: An image for which it says less is refused.
    threshold: float = Field(gt=0, lt=1)
    #: Share of the held-out films that it refuses.
    false_refusals: Estimate
    #: Share that it refuses of each kind of other image, made or taken for the measurement only.
    caught: dict[str, float]
    #: Share that it refuses of real chest films from elsewhere, by source; the intervals are by
    #: patient. Empty where it was measured on none.
    sources: dict[str, Estimate] = Field(default_factory=dict)


class NamedFile(_Frozen):
    """File of an ensemble besides its networks."""

    file: FileName
    sha256: str


class AcquisitionResult(_Frozen):
    """Sensitivity and specificity at the threshold under one simulated acquisition."""

    sensitivity: float
    specificity: float


class OperatingPoint(_Frozen):
    """Method by which the threshold was chosen, and its figures on the films of the choice."""

    method: str
    images: int
    patients: int
    #: The sensitivity that was asked for, where the method asks for one.
    stated_sensitivity: float | None = None
    #: False alarms that one missed pneumonia weighs, where the method weighs them.
    miss_cost: float | None = None
    acquisitions: dict[str, AcquisitionResult] = Field(default_factory=dict)


class ChangedFigure(_Frozen):
    """A figure before and after, each with its interval. difference: after less before."""

    before: Estimate
    after: Estimate
    difference: Estimate


class Recalibration(_Frozen):
    """The evidence for an ensemble that states probabilities otherwise than an earlier one.

    ensemble: the earlier one. slope, intercept: what makes its logits these. folds: of the
    cross-validation by patient, from which what is after comes. influenced: studies whose reader
    had seen what that ensemble said.
    """

    ensemble: str
    slope: float = Field(gt=0)
    intercept: float
    studies: int
    patients: int
    pneumonia: int
    blind: int
    influenced: int
    folds: int
    #: `ece`, `brier` and `log_loss`.
    figures: dict[str, ChangedFigure]
    #: Of both: the order of the studies is the same.
    auc: Estimate


class Adaptation(_Frozen):
    """The evidence for an ensemble that was fitted to a site's own labelled films.

    ensemble: the earlier one. level: `calibration`, `operating_point` or `linear_layer`. on:
    `films`, or `verdicts`. folds: of the cross-validation by patient, from which what is after
    comes. strength: of the linear layer, None without one. left_out: films that were given and
    are not among these, by why not.
    """

    ensemble: str
    level: str
    on: str
    films: int
    patients: int
    pneumonia: int
    folds: int
    strength: float | None
    #: By level: `auc`, `ece`, `brier`, `log_loss`, `sensitivity`, `specificity` and `cost`.
    figures: dict[str, dict[str, ChangedFigure]]
    #: Log loss of the linear layer against that of the calibration; None where none was fitted.
    layer_gain: ChangedFigure | None
    left_out: dict[str, int]
    #: Verdicts that were blind, and those whose reader had seen what the AI said.
    blind: int | None = None
    influenced: int | None = None


class Manifest(_Frozen):
    """The whole manifest; `manifest.json` in the ensemble's folder."""

    version: str = Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z._-]{0,63}$")
    created: str
    preprocessing_version: str
    members: tuple[EnsembleMember, ...] = Field(min_length=1)
    calibration: PlattScaling
    #: Share of pneumonia among the films of the calibration, which its probabilities presuppose.
    prevalence: float | None = Field(None, gt=0, lt=1)
    #: Probability at or above which an image is flagged.
    threshold: float = Field(gt=0, lt=1)
    operating_point: OperatingPoint
    pixel_check: PixelCheck | None = None
    #: None where its scores cannot tell whether a film is unlike those of the validation.
    unlike: UnlikeCheck | None = None
    #: On the held-out patients; of a recalibrated ensemble, `ece` is that of its recalibration; of
    #: an adapted one, all are on the films of the site, each by a fit without its patient.
    metrics: Metrics
    #: None where its calibration is that of its tuning patients.
    recalibration: Recalibration | None = None
    #: None where it was not fitted to a site's own films.
    adaptation: Adaptation | None = None
    #: Drift is held against it; None where none was made.
    reference: NamedFile | None = None
    #: What it gave to the sample films when it was made; None where nobody kept it.
    golden: NamedFile | None = None
    training: str
    population: str
    #: The ages in it; None where nobody knows them, and every score is marked.
    ages: Ages | None = None
    #: Other populations, each with a calibration and a threshold of its own; the first that fits a
    #: film outside these ages is applied.
    populations: tuple[Population, ...] = ()
    source: str
    licence: str
    disclaimer: str

    @field_validator("populations")
    @classmethod
    def _are_told_apart(cls, populations: tuple[Population, ...]) -> tuple[Population, ...]:
        names = [each.name for each in populations]
        if len({*names, FIRST_POPULATION}) != len(names) + 1:
            raise ValueError(f"each has a name of its own, and none is {FIRST_POPULATION!r}")
        return populations

    @property
    def stated_populations(self) -> Populations:
        """All its populations, by which scores are stated."""
        first = LogitScaling(self.calibration.slope, self.calibration.intercept)
        return Populations(first, self.ages, self.prevalence, self.populations)

    @property
    def parts(self) -> list[EnsembleMember | PixelCheck | UnlikeCheck | NamedFile]:
        """Everything that lies in a file of its own."""
        others = (self.pixel_check, self.unlike, self.reference, self.golden)
        return [*self.members, *(part for part in others if part is not None)]


def load_manifest(folder: Path) -> Manifest:
    """Read the manifest of an ensemble. Raises Misconfigured if it is missing or garbled."""
    path = folder / MANIFEST_FILE
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except OSError as error:
        raise Misconfigured(
            gettext("{folder} holds no ensemble: {name} cannot be read.").format(
                folder=folder, name=path.name
            )
        ) from error
    except ValidationError as error:
        fault = error.errors()[0]
        field = ".".join(str(part) for part in fault["loc"]) or "the file"
        raise Misconfigured(f"{path} is garbled: {field}: {fault['msg']}.") from error


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest of an ensemble into its folder, whole or not at all."""
    with written_whole(folder / MANIFEST_FILE) as path:
        path.write_text(manifest.model_dump_json(indent=2) + "\n")


def check_files(folder: Path, manifest: Manifest) -> None:
    """Compare every file with its digest. Raises Misconfigured for one that differs."""
    for part in manifest.parts:
        path = folder / part.file
        if not path.is_file():
            raise Misconfigured(
                gettext("Ensemble {version}: {path} is missing.").format(
                    version=manifest.version, path=path
                )
            )
        if file_sha256(path) != part.sha256:
            raise Misconfigured(
                gettext(
                    "Ensemble {version}: {path} is not the file that its manifest names; copy the "
                    "ensemble again."
                ).format(version=manifest.version, path=path)
            )


def find_ensembles(folders: Sequence[Path]) -> dict[str, Path]:
    """Find the ensembles that lie in the folders, version → folder; the first folder wins.

    Hidden ones are left out: they are being copied, or were put away.
    """
    ensembles: dict[str, Path] = {}
    for folder in folders:
        for path in sorted(folder.glob(f"*/{MANIFEST_FILE}")):
            if not path.parent.name.startswith("."):
                ensembles.setdefault(load_manifest(path.parent).version, path.parent)
    return ensembles


def is_shipped(folder: Path) -> bool:
    """Tell whether the folder of an ensemble came with ReadFirst."""
    return folder.resolve().is_relative_to(SHIPPED.resolve())


def available_ensembles(site_folder: Path) -> dict[str, Path]:
    """Find the ensembles that a site can use: its own, then the shipped ones; version → folder."""
    return find_ensembles([site_folder, SHIPPED])


def available_manifest(version: str, site_folder: Path) -> Manifest:
    """Read the manifest of an ensemble that a site can use. Raises Misconfigured."""
    folder = available_ensembles(site_folder).get(version)
    if folder is None:
        raise Misconfigured(
            gettext("The files of ensemble {version} are not on this machine.").format(
                version=version
            )
        )
    return load_manifest(folder)


def shipped_version() -> str:
    """Return the newest ensemble that comes with ReadFirst. Raises Misconfigured if none does."""
    shipped = [load_manifest(path) for path in find_ensembles([SHIPPED]).values()]
    if not shipped:
        raise Misconfigured(
            gettext("No ensemble lies in {shipped}; install ReadFirst again.").format(
                shipped=SHIPPED
            )
        )
    return max(shipped, key=lambda manifest: manifest.created).version
