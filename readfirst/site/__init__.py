"""The site itself: its parts, and the checks of it."""
