"""DICOM files as DICOMweb gives them: their attributes in JSON, their frames."""
