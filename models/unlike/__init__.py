"""The check that tells from a film's pixels that it is unlike those of the validation."""
