"""The inbox: files in it that cannot be taken, and files that came in and are no films."""
