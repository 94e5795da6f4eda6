"""Bayesian search for the parameters of a recipe."""
