"""Populations of an ensemble besides its first: who is in them, and how their films are stated."""
