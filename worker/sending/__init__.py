"""Results are sent to other systems."""
