"""Messages of the outbox on their way to another system."""
