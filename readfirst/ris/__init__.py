"""The radiology information system (RIS): what its messages say, as values."""
