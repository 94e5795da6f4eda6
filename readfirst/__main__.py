"""`python -m readfirst` is the command `readfirst`, found as its package declares it."""

from importlib.metadata import distribution

if __name__ == "__main__":
    commands = distribution("readfirst").entry_points.select(group="console_scripts")
    commands["readfirst"].load()()
