import subprocess
import sys

#: Counts the pages that are mapped anew while the same 48 MiB are taken and freed ten times.
COUNTING = """
from resource import RUSAGE_SELF, getrusage
from models.memory import keep_freed_memory

def faults():
    before = getrusage(RUSAGE_SELF).ru_minflt
    for _ in range(10):
        bytearray(b"x") * (48 << 20)
    return getrusage(RUSAGE_SELF).ru_minflt - before

given_back = faults()
keep_freed_memory()
faults()
print(given_back, faults())
"""


def test_freed_memory_is_kept() -> None:
    command = [sys.executable, "-c", COUNTING]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    given_back, kept = (int(count) for count in output.split())
    assert kept < given_back / 10
