"""Inference: ensembles, preprocessing, explanations. Knows no database, queue or DICOM."""

from readfirst.startup.tensorflow_import import prepare_import

prepare_import()
