"""Tables, sessions, writes, queries, migrations. Knows no TensorFlow, Celery or files."""
