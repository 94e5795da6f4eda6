"""The fixtures of the tests of monitoring."""

from tests.fixtures.monitoring import called_by_the_test_client, period  # noqa: F401
