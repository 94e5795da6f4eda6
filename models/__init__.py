"""Networks, preprocessing, training, thresholds. Knows no database, queue or DICOM."""
