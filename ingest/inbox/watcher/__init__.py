"""The watcher of the inbox: what lies there, what is whole, and who still writes."""
