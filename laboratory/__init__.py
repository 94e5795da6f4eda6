"""The laboratory: training, tuning, evaluation, reports. The running product never imports it."""

from readfirst.startup.tensorflow_import import silence_startup

silence_startup()
