"""Nights: when the site scores again, at which rate, and when it will be through. Pure."""
