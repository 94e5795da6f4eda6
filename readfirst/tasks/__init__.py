"""Tasks of the workers: their names, who asks for them, and Celery, which carries the message."""
