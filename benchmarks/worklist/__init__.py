"""Times of the worklist, at the server and in a browser."""
