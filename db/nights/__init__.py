"""The nights in which a site scores again: their rows, what they count, and what they changed."""
