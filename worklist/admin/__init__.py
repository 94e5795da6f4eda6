"""The site's administration: pages under `/admin`, and the same in the API. For admins alone."""
