"""Pixels: from what is stored to the grey that a person would see. One rule, one module."""
