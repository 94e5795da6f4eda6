"""Evaluation: metrics, thresholds, comparisons, cross-group validation."""
