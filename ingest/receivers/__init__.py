"""The DICOM listener: modalities and PACS send to it."""
