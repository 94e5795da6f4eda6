"""Studies as DICOMweb names them: searched for, and each with its instances."""
