"""Adaptation: an ensemble fitted to a site's own labelled films, and the evidence for it."""
