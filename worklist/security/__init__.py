"""Security: authentication, roles, sessions, the audit log, and the headers of every answer."""
