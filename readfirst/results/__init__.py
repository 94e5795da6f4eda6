"""DICOM results: what the AI and the readers say of a study, as objects for other systems. Pure.

A value object in, a data set out (`readfirst.results.make`); nothing is read and nothing is sent.
"""
