"""The page of a study: facts, scores, timeline, attributes and films."""
