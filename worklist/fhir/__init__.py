"""Results as FHIR R4, to be read and searched by whoever has an account here."""
