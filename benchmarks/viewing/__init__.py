"""How soon a film is there, how smoothly it is moved, and how long heat maps take."""
