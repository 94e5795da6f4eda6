"""`models list` and `models show`."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Annotated, Any

import typer

from cli.common.console import notice, out, print_json, print_table
from cli.common.database import opened
from cli.common.outlook import outlook_now
from cli.models.ensembles import find_manifest
from cli.models.figures import with_interval
from cli.models.options import Json
from db.ensembles.thresholds import active_thresholds
from db.ensembles.versions import known_ensembles
from models.cards.flat_rows import flat_rows
from models.manifest import Manifest, available_ensembles, load_manifest
from readfirst.errors import Unavailable
from readfirst.settings import load_settings

#: It lies in a folder, and has never been added or active.
NOT_ADDED = "not added"


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
    states, thresholds, sentence = _known()
    if json:
        rows = [
            manifest.model_dump(mode="json")
            | {
                "state": states.get(manifest.version),
                "active_threshold": thresholds.get(manifest.version, manifest.threshold),
            }
            for manifest in manifests
        ]
        print_json(rows)
        return
    print_table(
        "Ensembles",
        (
            "Version",
            "State",
            "Members",
            "Threshold",
            "AUC",
            "Sensitivity",
            "Specificity",
            "Measured on",
        ),
        [
            (
                manifest.version,
                states.get(manifest.version, NOT_ADDED),
                ", ".join(member.name for member in manifest.members),
                f"{thresholds.get(manifest.version, manifest.threshold):.3f}",
                with_interval(manifest.metrics.auc),
                with_interval(manifest.metrics.sensitivity),
                with_interval(manifest.metrics.specificity),
                f"{manifest.metrics.images} images, {manifest.metrics.patients} patients",
            )
            for manifest in manifests
        ],
    )
    if sentence:
        notice(sentence)
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
    plain = {key: value for key, value in facts.items() if key not in ("recipe", "metrics")}
    rows = list(flat_rows(plain))
    rows += list(flat_rows({"recipe": facts["recipe"] or {}}))
    print_table(name, ("What", "Value"), rows)
    if facts["metrics"]:
        out().print_json(data=facts["metrics"])


def _known() -> tuple[dict[str, str], dict[str, float], str | None]:
    """State and active threshold of each known ensemble, and when the active one will be through.

    Nothing where the database does not answer.
    """
    settings = load_settings()
    try:
        with opened(settings) as database, database.read() as session:
            known = known_ensembles(session)
            states = {version: row.state.value for version, row in known.items()}
            active = active_thresholds(session).by_ensemble
            thresholds = {version: threshold.value for version, threshold in active.items()}
            return states, thresholds, outlook_now(session, settings)
    except Unavailable as error:
        notice(f"The states are not known: {error}", "yellow")
        return {}, {}, None


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
