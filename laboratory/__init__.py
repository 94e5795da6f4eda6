"""The laboratory: training, tuning, evaluation, reports. The running product never imports it."""

from readfirst.startup.tensorflow_import import prepare_import

prepare_import()
