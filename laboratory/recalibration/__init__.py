"""Recalibration: other probabilities from the same networks, by verdicts of a site."""
