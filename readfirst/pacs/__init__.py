"""The archives that films are fetched from: where they are, what is asked, and what they answer."""
