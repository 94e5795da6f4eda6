"""Feedback: what readers said, given back to those who train."""
