"""The way of a file from the inbox to its pixels: watch, claim, store, read the header, decode."""

from readfirst.startup.pydicom_import import prepare_import

prepare_import()
