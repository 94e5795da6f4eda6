"""DCMTK's own tools, as devices have them: a Python package brings others of the same names."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.support.requirements import REASONS

OURS = Path(sys.prefix, "bin")
ELSEWHERE = [folder for folder in os.get_exec_path() if Path(folder).resolve() != OURS.resolve()]


def tool(name: str) -> str:
    """The path of a tool; its name where there is none."""
    return shutil.which(name, path=os.pathsep.join(ELSEWHERE)) or name


STORESCU = tool("storescu")
HAS_DCMTK = STORESCU != "storescu"
needs_dcmtk = pytest.mark.skipif(not HAS_DCMTK, reason=REASONS["dcmtk"])
