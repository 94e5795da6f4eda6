"""What people look at: the web page and the HTTP API. Never imports TensorFlow."""
