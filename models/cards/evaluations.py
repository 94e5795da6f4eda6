"""Evaluations of an ensemble on other films, as `readfirst models evaluate` writes them."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, JsonValue, TypeAdapter, ValidationError

from models.manifest import Metrics
from readfirst.errors import Misconfigured

#: Of `--report` and of `--json`: several ensembles, or the figures of one.
_FILE: TypeAdapter[JsonValue] = TypeAdapter(JsonValue)


class EvaluatedGroup(BaseModel):
    """The films of one group of an evaluation, as of one cause of pneumonia.

    right: the sensitivity of a group with pneumonia, the specificity of one without, with its 95 %
    interval (Wilson). auc: these films against all of the other class.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    group: str
    pneumonia: bool
    images: int
    patients: int
    right: float
    low: float
    high: float
    auc: float | None


class Evaluation(BaseModel):
    """Figures of an ensemble on labelled films. name: of the films, as the file is called.

    threshold: None where the file does not say it; it is the ensemble's own then.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    threshold: float | None
    metrics: Metrics
    groups: tuple[EvaluatedGroup, ...] = ()


def read_evaluations(path: Path, version: str) -> tuple[Evaluation, ...]:
    """Read what a file says of a version: `report.json`, or what `--json` printed.

    Raises Misconfigured for a file that is neither, or that has nothing of this version.
    """
    try:
        content = _FILE.validate_json(path.read_bytes())
        evaluations = _evaluations(content, version, path)
    except OSError as error:
        raise Misconfigured(f"{path} cannot be read.") from error
    except (ValidationError, KeyError, TypeError) as error:
        raise Misconfigured(
            f"{path} is no report of `readfirst models evaluate`: give its report.json, or what "
            "--json printed of one ensemble."
        ) from error
    if not evaluations:
        raise Misconfigured(f"{path} has no figures of {version}.")
    return evaluations


def _evaluations(content: Any, version: str, path: Path) -> tuple[Evaluation, ...]:
    if "models" not in content:
        metrics = Metrics.model_validate(content)
        return (Evaluation(name=path.stem, threshold=None, metrics=metrics),)
    # A report is called as any other; its folder has a name.
    name = path.resolve().parent.name if path.stem == "report" else path.stem
    return tuple(
        Evaluation(
            name=name,
            threshold=model["threshold"],
            metrics=Metrics.model_validate(model["metrics"]),
            groups=tuple(EvaluatedGroup.model_validate(group) for group in model["subgroups"]),
        )
        for model in content["models"]
        if model["name"] == version
    )
