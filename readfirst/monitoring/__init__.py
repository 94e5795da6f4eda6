"""Monitoring of the AI: pure functions of counts and of numbers, each with its interval."""
