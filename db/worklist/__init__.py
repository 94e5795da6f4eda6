"""Queries of the worklist: lists, one study, refused images, and what belongs together."""
