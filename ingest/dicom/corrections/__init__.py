"""Headers that do not fit their pixels: what the pixels prove is taken, or the film is refused."""
