"""The shipped ensemble, loaded once, and the big training data where it is there."""

import os
from pathlib import Path

import pytest

from models.ensemble import NetworkEnsemble, load_ensemble
from models.manifest import SHIPPED, find_ensembles, shipped_version

#: Where developers keep the training data, unless READFIRST_TRAINING_DATA says otherwise.
DATA = Path(
    os.environ.get("READFIRST_TRAINING_DATA", Path(__file__).parents[3] / "shared" / "data")
)


@pytest.fixture(scope="session")
def training_data() -> Path:
    if not (DATA / "train" / "NORMAL").is_dir():
        pytest.skip("the training data are not here; READFIRST_TRAINING_DATA names their folder")
    return DATA


@pytest.fixture(scope="session")
def shipped_folder() -> Path:
    return find_ensembles([SHIPPED])[shipped_version()]


@pytest.fixture(scope="session")
def shipped(shipped_folder: Path) -> NetworkEnsemble:
    return load_ensemble(shipped_folder, "float32")
