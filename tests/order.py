"""The order of the tests where several processes share them: those that take long begin first.

xdist's `worksteal` gives each process an equal part of the list, one behind the other, and who has
nothing left takes from the end of another's part. So each part begins with some of the long files,
and what is left at the end is short.
"""

import gc
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest

from tests.kinds import relative_name

# Nothing that is imported is garbage: until all tests are collected, nobody looks for any.
gc.disable()

TESTS: Final = Path(__file__).parent
#: Files that take more than ten seconds of one core, or of waiting; the longest first.
LONG: Final = (
    "chaos/test_processes.py",
    "browser/test_whole_way.py",
    "browser/test_ohif.py",
    "chaos/test_hospital.py",
    "chaos/test_results_leave.py",
    "integration/ingest/test_pacs_clients.py",
    "integration/worker/test_backfill.py",
    "integration/worker/test_polling.py",
    "integration/cli/test_fetch.py",
    "integration/worker/test_fetch_priors.py",
    "integration/ingest/test_pacs_safety.py",
    "integration/cli/test_private_files.py",
    "integration/cli/test_score.py",
    "integration/laboratory/test_laboratory.py",
    "integration/laboratory/test_gan.py",
    "integration/worker/test_ensemble_changes.py",
    "integration/worklist/test_starving.py",
    "integration/worklist/test_schema.py",
    "integration/worklist/test_dicomweb.py",
    "integration/worker/test_hostile_files.py",
    "chaos/test_machine_faults.py",
    "chaos/test_supervisor.py",
    "chaos/test_archives.py",
    "integration/worker/test_machine_faults.py",
    "chaos/test_inbox.py",
    "chaos/test_sandbox.py",
    "fuzz/test_fuzz.py",
    "fuzz/test_dicomweb_of_hostile_films.py",
    "fuzz/test_corpus.py",
    "fuzz/test_bounds.py",
    "integration/laboratory/test_training.py",
    "integration/worker/test_copies.py",
    "integration/worker/test_destinations.py",
    "integration/worker/test_commitment.py",
    "integration/results/test_results.py",
    "integration/results/test_result_heat_maps.py",
    "integration/results/test_result_readers.py",
    "integration/ingest/test_starving.py",
    "integration/cli/test_adapt.py",
    "integration/worker/test_export_verdicts.py",
    "integration/ingest/test_deidentify.py",
    "unit/db/lifecycle/test_any_order.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the tests for as many processes as share them."""
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if processes > 1:
        files = [relative_name(item.path, TESTS) for item in items]
        items[:] = [items[index] for index in spread(files, processes)]


def pytest_collection_finish() -> None:
    """Spare the collector of garbage what is there to stay: all modules, and all tests.

    It also looks for garbage less often than by default: each application that a test makes has
    enough objects to set it off several times, and it took a seventh of the time of such tests.
    """
    gc.enable()
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)


def spread(files: Sequence[str], processes: int) -> list[int]:
    """Deal tests out to equal parts, one a process, each with its long files first.

    files: of each test. Returns the indices of the tests in their new order; those of one file
    stay together and in order, but for the file at the border of two parts.
    """
    dealt: list[list[int]] = [[] for _ in range(processes)]
    for number, name in enumerate(LONG):
        own = [index for index, file in enumerate(files) if file == name]
        dealt[number % processes].extend(own)
    others = [index for index, file in enumerate(files) if file not in LONG]
    order: list[int] = []
    for number, part in enumerate(dealt):
        # As xdist cuts the list.
        size = (len(files) - len(order)) // (processes - number)
        order += part + others[: max(0, size - len(part))]
        del others[: max(0, size - len(part))]
    return order + others
