"""The administrator's pages of the radiology information system."""
