"""Joins intake, models and database: Celery tasks, batches, sweep, nightly re-scoring."""
