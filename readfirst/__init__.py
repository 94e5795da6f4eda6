"""What every part of ReadFirst agrees on: settings, errors, domain types, priority, queue."""

__version__ = "0.1.0"

#: Shown wherever a person looks: on the page, in the help, beside every export.
DISCLAIMER = "Research software, not a medical device. Not for clinical decisions."
