"""Output, options and the database, for all commands."""
