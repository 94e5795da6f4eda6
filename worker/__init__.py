"""Use cases that join files, networks and database, and their Celery tasks."""
