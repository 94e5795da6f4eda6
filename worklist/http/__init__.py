"""HTTP for all routes: responses, and errors as problems."""

#: The root of DICOMweb: one for reading and storing, so that a client needs no other.
DICOMWEB_ROOT = "/dicom-web"
