"""Folders and files of a site: made, kept private, and named where they cannot be used."""
