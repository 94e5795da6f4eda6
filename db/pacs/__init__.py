"""The archives that films are fetched from, as rows, and what was fetched."""
