"""`models list`, `show`, `compare` and `promote`."""

from __future__ import annotations

import math
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from models.manifest import Manifest, available_ensembles, load_manifest
from readfirst.cli.console import err, notice, out, print_json, print_table
from readfirst.cli.models.options import (
    Json,
    Labels,
    films_of,
    loaded,
    manifest_of,
    named,
    short,
)
from readfirst.errors import Misconfigured
from readfirst.settings import load_settings


def list_models(
    networks: Annotated[
        bool, typer.Option("--networks", help="The recipes of the laboratory instead.")
    ] = False,
    json: Json = False,
) -> None:
    """List the ensembles that can be used, the shipped ones and the site's own."""
    if networks:
        _list_recipes(json)
        return
    manifests = [
        load_manifest(path) for path in available_ensembles(load_settings().ensembles_path).values()
    ]
    manifests.sort(key=lambda manifest: manifest.created)
    if json:
        print_json(manifests)
        return
    print_table(
        "Ensembles",
        ("Version", "Members", "Threshold", "AUC", "Sensitivity", "Specificity", "Measured on"),
        [
            (
                manifest.version,
                ", ".join(member.name for member in manifest.members),
                f"{manifest.threshold:.3f}",
                short(manifest.metrics.auc),
                short(manifest.metrics.sensitivity),
                short(manifest.metrics.specificity),
                f"{manifest.metrics.images} images, {manifest.metrics.patients} patients",
            )
            for manifest in manifests
        ],
    )
    notice("The networks that can be trained: `readfirst models list --networks`.")


def show(
    name: Annotated[str, typer.Argument(help="Recipe of the laboratory, or ensemble.")],
    json: Json = False,
) -> None:
    """Show a network or an ensemble: its size, its recipe, what it was measured at."""
    shown = _recipe_facts(name) or _ensemble_facts(manifest_of(name))
    if json:
        print_json(shown)
        return
    rows = [(key, _cell(value)) for key, value in shown.items() if key not in ("recipe", "metrics")]
    recipe = shown["recipe"] or {}
    rows += [(f"recipe: {key}", _cell(value)) for key, value in recipe.items()]
    print_table(name, ("What", "Value"), rows)
    if shown["metrics"]:
        out().print_json(data=shown["metrics"])


def compare(
    first: Annotated[str, typer.Argument(help="Version, folder, or VERSION:MEMBER.")],
    second: Annotated[str, typer.Argument(help="Version, folder, or VERSION:MEMBER.")],
    data: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            file_okay=False,
            help="Score these films with both, and give the difference with its interval. "
            "Default: the figures of the manifests.",
        ),
    ] = None,
    labels: Labels = None,
    json: Json = False,
) -> None:
    """Compare two ensembles, side by side or film by film."""
    if data is None:
        _compare_manifests(manifest_of(first), manifest_of(second), json)
        return
    from models.comparing import differences
    from models.dataset import labels_of, load_images

    films = films_of(data, labels)
    images = load_images(films)
    said, thresholds = [], []
    for name in (first, second):
        with err.status(f"Scoring {len(films)} films with {name} …"):
            ensemble, _ = loaded(name)
            said.append([score.probability for score in ensemble.scores(images)])
            thresholds.append(ensemble.threshold)
    found = differences(labels_of(films), said, thresholds, [film.patient for film in films])
    if json:
        print_json(found)
        return
    print_table(
        f"{second} less {first}, on {len(films)} images",
        ("Figure", first, second, "Difference", "95 % interval"),
        [
            (
                row.figure,
                f"{row.first:.3f}",
                f"{row.second:.3f}",
                f"{row.difference.value:+.3f}",
                f"{row.difference.low:+.3f} – {row.difference.high:+.3f}",
            )
            for row in found
        ],
    )


def promote(
    version: Annotated[str, typer.Argument(help="Version as `models list` shows it.")],
) -> None:
    """Make an ensemble the active one. The night scores again what it has not seen."""
    from readfirst.cli.worklist import opened
    from worker.judgement import Judgement

    settings = load_settings()
    judgement = Judgement(settings.ensembles_path, settings.precision)
    with opened(settings) as database, database.write() as session:
        judgement.promote(session, version, datetime.now(UTC))
    notice(f"Ensemble {version} is active.")


def _list_recipes(json: bool) -> None:
    from models.recipes import RECIPES

    if json:
        print_json([asdict(recipe) for recipe in RECIPES.values()])
        return
    print_table(
        "Recipes",
        ("Name", "Network", "Input", "Epochs", "Starts from"),
        [
            (
                recipe.name,
                recipe.network,
                f"{recipe.input_size} px",
                str(recipe.epochs),
                "ImageNet" if recipe.imagenet else "nothing",
            )
            for recipe in RECIPES.values()
        ],
    )


def _recipe_facts(name: str) -> dict[str, Any] | None:
    """Size and recipe of a network of the laboratory; None if none has this name."""
    from models.generating import NAME as GAN
    from models.generating import adversaries
    from models.networks import build
    from models.recipes import RECIPES

    if name == GAN:
        parts = adversaries()
        return _facts([parts.generator, parts.discriminator], parts.discriminator.input_shape, None)
    if name not in RECIPES:
        return None
    recipe = RECIPES[name]
    network = build(recipe.network, recipe.input_size, **recipe.options)
    return _facts([network], network.input_shape, asdict(recipe))


def _facts(networks: list[Any], shape: tuple[int | None, ...], recipe: Any) -> dict[str, Any]:
    trainable = [weight for network in networks for weight in network.trainable_weights]
    return {
        "parameters": sum(network.count_params() for network in networks),
        "trainable_parameters": sum(math.prod(weight.shape) for weight in trainable),
        "input_shape": list(shape[1:]),
        "recipe": recipe,
        "metrics": None,
    }


def _ensemble_facts(manifest: Manifest) -> dict[str, Any]:
    from models.networks import build
    from models.preprocessing import MODEL_READY_SIZE

    networks = [build(member.network, member.input_size) for member in manifest.members]
    shape = (None, MODEL_READY_SIZE, MODEL_READY_SIZE, 1)
    said = manifest.model_dump(mode="json", exclude={"metrics"})
    return {
        **_facts(networks, shape, None),
        **said,
        "metrics": manifest.metrics.model_dump(mode="json"),
    }


def _compare_manifests(first: Manifest, second: Manifest, json: bool) -> None:
    if json:
        print_json([first, second])
        return
    ours, theirs = named(first.metrics), named(second.metrics)
    if set(ours) != set(theirs):
        raise Misconfigured("Their predictive values are stated at different prevalences.")
    rows = [
        (name, short(one) if one else "–", short(other) if other else "–")
        for (name, one), other in zip(ours.items(), theirs.values(), strict=True)
    ]
    print_table(
        "As their manifests say, each on its own held-out films",
        ("Figure", first.version, second.version),
        rows,
    )


def _cell(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
