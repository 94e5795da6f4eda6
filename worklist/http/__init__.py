"""HTTP for all routes: responses, and errors as problems."""
