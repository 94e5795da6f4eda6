"""Times of the viewer: to a film, for each frame, and to a heat map."""
