"""Inference: ensembles, preprocessing, explanations. Knows no database, queue or DICOM."""

from readfirst.tensorflow_startup import silence_startup

silence_startup()
