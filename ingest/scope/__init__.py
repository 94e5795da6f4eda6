"""The scope: which images the networks may be asked about, by rules on their headers."""
