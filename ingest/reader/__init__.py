"""Reading files in a process of their own, which a hostile file may crash."""
