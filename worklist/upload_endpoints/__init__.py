"""The endpoints that take films into the inbox: the form and STOW-RS."""
