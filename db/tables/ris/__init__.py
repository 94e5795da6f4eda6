"""The tables of the radiology information system (RIS)."""
