"""Starting a process: what is set before it imports much, and how TensorFlow is imported."""
