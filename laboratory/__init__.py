"""The laboratory: training, tuning, evaluation, reports. The running product never imports it."""

from readfirst.tensorflow_startup import silence_startup

silence_startup()
