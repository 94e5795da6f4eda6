"""Training of members by their recipes."""
