"""Monitoring of the AI by the database: figures by day or week, for page, API and command line."""
