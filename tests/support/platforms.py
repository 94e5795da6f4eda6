"""Marks of tests that only some platforms can run; elsewhere they are skipped with the reason."""

import sys

import pytest

needs_memory_limit = pytest.mark.skipif(
    sys.platform != "linux",
    reason="only Linux limits the memory of the process that reads files",
)
needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has /proc")
