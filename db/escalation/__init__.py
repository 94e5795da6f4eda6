"""Escalation: studies that nobody reads in time are told of, once, until somebody acknowledges."""
