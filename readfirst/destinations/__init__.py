"""Destinations, the other systems that get results: what they may get, of which studies, and when.

How each kind of destination is reached stands in `results/destinations/`.
"""
