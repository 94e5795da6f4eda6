"""Accounts, log-in, sessions, and the log of who did or saw what."""
