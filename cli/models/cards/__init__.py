"""`models card`."""
