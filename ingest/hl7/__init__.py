"""HL7 version 2: the listener, and messages as values, by pure functions."""
