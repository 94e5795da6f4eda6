"""Commands by which a site decides on its ensemble: its threshold, and its acceptance."""
