"""DICOM results of studies: from the database and the originals to objects, and into folders."""
