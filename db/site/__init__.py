"""The site itself, for its administrator: the parts that run, and what they did last."""
