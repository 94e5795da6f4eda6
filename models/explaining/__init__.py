"""Explanations of a score: heat maps, superpixels, and both laid over the film."""
