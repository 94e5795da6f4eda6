"""Roles, passwords, secrets, and the key that signs webhooks."""
