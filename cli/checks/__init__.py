"""Checks of `readfirst doctor` by subject, apart from the commands, which load more."""
