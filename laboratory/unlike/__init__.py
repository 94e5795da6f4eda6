"""Fitting and measuring of the check that tells films unlike those of the validation."""
