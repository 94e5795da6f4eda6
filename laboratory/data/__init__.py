"""Labelled films: reading, splitting, augmentation, simulated acquisitions."""
