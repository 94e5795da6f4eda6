"""The DICOM listener: C-STORE and C-ECHO over the network, into the inbox. No database."""
