"""The ground floor, which every part uses: settings, errors, domain types, rules of studies."""

from readfirst.startup.pydicom_import import prepare_import

prepare_import()
__version__ = "0.1.0"

#: Shown wherever a person looks: on the page, in the help, beside every export.
DISCLAIMER = "Research software, not a medical device. Not for clinical decisions."
