"""The model cards of the ensembles whose files lie on this machine."""

from pathlib import Path

from models.cards.card import ModelCard, model_card
from models.manifest import available_ensembles, load_manifest
from readfirst.errors import Misconfigured, Unavailable


def find_card(version: str, site_folder: Path) -> ModelCard | None:
    """Make the card of an ensemble; None where its files are not on this machine.

    Raises Unavailable where a manifest cannot be read.
    """
    try:
        folder = available_ensembles(site_folder).get(version)
        return None if folder is None else model_card(load_manifest(folder))
    except Misconfigured as error:
        raise Unavailable(str(error)) from error
