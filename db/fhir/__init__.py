"""Look-ups of those who read results by FHIR."""
