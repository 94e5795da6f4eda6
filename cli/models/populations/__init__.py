"""Populations of an ensemble besides its first."""
