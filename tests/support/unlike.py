"""An ensemble of one small network, and films of people who look unlike those it is for."""

import csv
from pathlib import Path

import numpy as np
from PIL import Image

from laboratory.data.elsewhere import COLUMNS, TABLE
from models.manifest import (
    MANIFEST_FILE,
    SHIPPED,
    EnsembleMember,
    PlattScaling,
    find_ensembles,
    load_manifest,
    shipped_version,
)
from models.networks import build
from models.unlike.manifest_part import MarkedShare, UnlikeCheck, UnlikeFigures
from models.weights import save_weights

#: The layer of its network that is read.
LAYER = "block2_pool"


#: A share that no test looks at.
SHARE = MarkedShare(films=100, marked=1, low=0.002, high=0.054)


def a_check(**changes: object) -> UnlikeCheck:
    """The part of a manifest that names a check."""
    fields: dict[str, object] = {
        "member": "efficientnet-224",
        "layer": "block10_add",
        "cells": 2,
        "file": "unlike.safetensors",
        "sha256": "0" * 64,
        "threshold": 0.5,
        "method": "a contrast",
        "false_marks": 0.01,
        "figures": UnlikeFigures(acquisitions={"as it is": SHARE}),
    }
    return UnlikeCheck.model_validate(fields | changes)


def write_one_network(folder: Path, version: str) -> Path:
    """Write an ensemble of the pixel check's network, with weights by chance: it loads fast."""
    import keras

    shipped = load_manifest(find_ensembles([SHIPPED])[shipped_version()])
    folder.mkdir(parents=True)
    keras.utils.set_random_seed(1)
    network = build("chest-check", 64)
    member = EnsembleMember(
        name="small",
        network="chest-check",
        file="small.safetensors",
        sha256=save_weights(network, folder / "small.safetensors"),
        input_size=64,
        parameters=network.count_params(),
        weight=1.0,
    )
    changes = {
        "version": version,
        "members": (member,),
        "calibration": PlattScaling(slope=1.0, intercept=0.0),
        "pixel_check": None,
        "unlike": None,
        "reference": None,
        "golden": None,
    }
    manifest = shipped.model_copy(update=changes)
    (folder / MANIFEST_FILE).write_text(manifest.model_dump_json())
    return folder


def write_striped_films(folder: Path, count: int = 60, population: str = "adult") -> None:
    """Write a table of films with stripes across them, from two hospitals in turn."""
    generator = np.random.default_rng(5)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / TABLE).open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, restval="")
        writer.writeheader()
        for number in range(count):
            name = f"hospital{number % 2}_copies/{number}.png"
            row = {"file": name, "patient": f"p{number}", "population": population, "view": "PA"}
            writer.writerow(row | {"label": "normal"})
            film = generator.integers(60, 120, (64, 64), dtype=np.uint8)
            film[::8] = film[1::8] = film[2::8] = 230
            (folder / name).parent.mkdir(exist_ok=True)
            Image.fromarray(film).save(folder / name)
