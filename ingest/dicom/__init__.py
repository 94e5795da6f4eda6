"""DICOM files and pictures: what they are, what their headers say, and their pixels."""
