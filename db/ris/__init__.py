"""Rows of the radiology information system: messages and orders."""
