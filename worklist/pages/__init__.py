"""The pages for a browser: HTML, by the same queries as the API."""
