"""From a file in the inbox to pixels: watch, claim, store, read the header, decode."""
