"""Destinations as rows: added, changed and listed, with what waits for each."""
