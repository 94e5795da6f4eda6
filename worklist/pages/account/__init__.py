"""The pages of log-in and account."""
