"""The fixtures of the tests of the worklist."""

from tests.fixtures.shared_reader import shared_reader  # noqa: F401
from tests.fixtures.worklist import called_by_the_test_client, client, studies  # noqa: F401
