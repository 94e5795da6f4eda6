"""Results as HL7 v2 messages: ORU^R01 from the template of a site. Pure, but for its default."""
