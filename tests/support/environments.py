"""Environments of processes that tests start."""

import os


def clean_environment() -> dict[str, str]:
    """The environment of this process without settings of ReadFirst."""
    return {name: value for name, value in os.environ.items() if "READFIRST_" not in name}
