"""Messages of the radiology information system are taken, each once, and answered."""
