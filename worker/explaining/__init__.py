"""Heat maps that explain scores."""
