"""Adaptation of the shipped ensemble, on the films that come with ReadFirst."""

from pathlib import Path

import numpy as np
import pytest

from ingest.dicom.pixels.display import film_image
from laboratory.adaptation.candidate import calibration_of, new_units, write_adapted
from laboratory.adaptation.features import extract_features, last_unit
from laboratory.adaptation.films import LabelledFeatures
from laboratory.adaptation.linear_layer import LinearLayer
from models.combining import calibrated, sigmoid
from models.ensemble import load_ensemble
from models.manifest import SHIPPED, PlattScaling, find_ensembles, load_manifest, shipped_version
from models.preprocessing import LEAST_SIDE, Array8, standardise
from readfirst.samples import sample_files


@pytest.fixture(scope="module")
def images() -> Array8:
    return np.stack([standardise(film_image(path, LEAST_SIDE)) for path in sample_files()[:2]])


def test_the_written_ensemble_gives_what_was_fitted(images: Array8, tmp_path: Path) -> None:
    source = find_ensembles([SHIPPED])[shipped_version()]
    ensemble = load_ensemble(source, "float32")
    of_films = extract_features(ensemble, images)
    # Features and last units give what the ensemble says.
    scores = [score.probability for score in ensemble.scores(images)]
    before = ensemble.manifest.calibration
    assert sigmoid(calibrated(of_films.logits, before)) == pytest.approx(scores, abs=1e-5)
    assert [len(last_unit(network).kernel) for network in ensemble.networks] == list(
        of_films.widths
    )
    generator = np.random.default_rng(0)
    features = of_films.features.astype(np.float64)
    layer = LinearLayer(
        PlattScaling(slope=0.4, intercept=-0.3),
        generator.normal(0, 0.05, (features.shape[1],)),
        features.mean(axis=0),
        0.3,
    )
    films = LabelledFeatures(
        labels=np.zeros(len(images), dtype=np.int64),
        patients=np.array([str(n) for n in range(len(images))]),
        logits=of_films.logits,
        features=features,
    )
    manifest = ensemble.manifest.model_copy(
        update={
            "version": "adapted",
            "calibration": calibration_of(layer),
            "unlike": None,
            "reference": None,
            "golden": None,
        }
    )
    folder = tmp_path / "adapted"
    write_adapted(source, ensemble.manifest, manifest, layer, folder)
    adapted = load_ensemble(folder, "float32")
    after = [score.probability for score in adapted.scores(images)]
    # Weights are rounded to 16 bits.
    assert after == pytest.approx(sigmoid(layer.logits(films)), abs=0.005)
    assert after != pytest.approx(scores, abs=0.01)
    # What is shipped is as it was.
    assert load_manifest(source) == ensemble.manifest
    units = new_units(
        [last_unit(network) for network in ensemble.networks],
        [member.weight for member in ensemble.manifest.members],
        layer,
        calibration_of(layer).slope,
    )
    assert last_unit(adapted.networks[0]).kernel == pytest.approx(units[0].kernel, abs=0.01)
