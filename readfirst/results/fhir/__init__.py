"""Results as FHIR R4 resources, which say what the SR says, by the same codes. Pure."""
