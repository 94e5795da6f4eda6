"""Training of the pixel check."""
