"""Results of studies, from database and originals to objects and messages, and where they go."""
