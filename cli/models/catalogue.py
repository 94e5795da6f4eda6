"""`models list`, `show` and `promote`."""

from __future__ import annotations

import math
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from cli.common.console import notice, out, print_json, print_table
from cli.models.ensembles import find_manifest
from cli.models.figures import with_interval
from cli.models.options import Json
from models.manifest import Manifest, available_ensembles, load_manifest
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
                with_interval(manifest.metrics.auc),
                with_interval(manifest.metrics.sensitivity),
                with_interval(manifest.metrics.specificity),
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
    facts = _recipe_facts(name) or _ensemble_facts(find_manifest(name))
    if json:
        print_json(facts)
        return
    rows = [(key, _cell(value)) for key, value in facts.items() if key not in ("recipe", "metrics")]
    recipe = facts["recipe"] or {}
    rows += [(f"recipe: {key}", _cell(value)) for key, value in recipe.items()]
    print_table(name, ("What", "Value"), rows)
    if facts["metrics"]:
        out().print_json(data=facts["metrics"])


def promote(
    version: Annotated[str, typer.Argument(help="Version as `models list` shows it.")],
) -> None:
    """Make an ensemble the active one. The night scores again what it has not seen."""
    from cli.common.database import opened
    from worker.scoring.ensemble_registry import EnsembleRegistry

    settings = load_settings()
    ensembles = EnsembleRegistry(settings.ensembles_path, settings.precision)
    with opened(settings) as database, database.write() as session:
        ensembles.promote(session, version, datetime.now(UTC))
    notice(f"Ensemble {version} is active.")


def _list_recipes(json: bool) -> None:
    from laboratory.training.recipes import RECIPES

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
    """Return size and recipe of a network of the laboratory; None if none has this name."""
    from laboratory.gan.networks import adversaries
    from laboratory.gan.train_gan import NAME as GAN
    from laboratory.networks import build
    from laboratory.training.recipes import RECIPES

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
    return {
        **_facts(networks, shape, None),
        **manifest.model_dump(mode="json", exclude={"metrics"}),
        "metrics": manifest.metrics.model_dump(mode="json"),
    }


def _cell(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
