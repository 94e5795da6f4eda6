"""The read side of DICOMweb (PS3.18): studies are searched for and retrieved by other viewers."""
