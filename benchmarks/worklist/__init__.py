"""How long the worklist takes, at the server and in a browser."""
