"""The collaborators of routes, and the dependencies by which routes ask for them."""
