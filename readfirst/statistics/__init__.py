"""Statistics of flags and probabilities against what films show.

The laboratory and what watches the AI use the same ones. Functions are pure; results are frozen.
Shares and probabilities run from 0 to 1, and intervals are of 95 %.
"""
