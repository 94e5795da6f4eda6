"""Verdicts as labels: what readers said of films, for training and calibration."""
