"""From an original to its score: prepare, score, score again; and without a queue."""
