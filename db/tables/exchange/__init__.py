"""The tables of what is exchanged with other systems."""
