"""Intake: a file of the inbox becomes a row of the database."""
