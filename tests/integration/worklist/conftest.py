"""The fixtures of the tests of the worklist."""

import pytest

from tests.fixtures.shared_reader import shared_reader  # noqa: F401
from tests.fixtures.worklist import called_by_the_test_client, client, studies  # noqa: F401


@pytest.fixture(autouse=True)
def _one_reader(shared_reader: None) -> None:  # noqa: F811
    """Let all applications of a test read films by one process."""
