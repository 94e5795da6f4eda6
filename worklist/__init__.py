"""The web application: pages and HTTP API. Never imports TensorFlow."""
