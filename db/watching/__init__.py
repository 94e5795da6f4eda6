"""What watches the AI, asked of the database: by day or week, for page, API and command line."""
