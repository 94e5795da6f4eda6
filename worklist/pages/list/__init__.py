"""The page of the worklist: query, rows and routes."""
