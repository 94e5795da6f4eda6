"""The last steps to an ensemble that can be used: combine its members, and make its reference."""
