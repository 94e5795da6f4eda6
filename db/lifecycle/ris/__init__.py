"""Steps of the life cycle by messages of the radiology information system."""
