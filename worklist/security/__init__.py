"""Who may look: log-in, roles, what is noted, and what every answer tells the browser."""
