"""`sources …`, `fetch` and `fetches`: films are fetched from a PACS."""
