"""The work that nobody waits for: sweep, retention, and trying again what was refused."""
