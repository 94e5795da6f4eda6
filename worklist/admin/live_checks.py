"""The checks of `readfirst doctor`, run for a page: with a time limit, and not at every request."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait

from readfirst.settings import Settings
from readfirst.site.checks import CheckResult

Check = Callable[[Settings], CheckResult]
#: Seconds that the checks have together, and for which their results are kept.
LIMIT_SECONDS, KEPT_SECONDS = 5.0, 10.0
#: Of a check that does not end: a folder on a share that is gone, most often.
NO_ANSWER = "no answer within {seconds:.0f} s"
ADVICE = "Run `readfirst doctor` on the machine. A network share that hangs is the usual cause."


class LiveChecks:
    """The results of checks, at most some seconds old.

    A check that hangs is told as such, and is not begun again before it has ended.
    """

    def __init__(
        self,
        settings: Settings,
        checks: Sequence[Check],
        *,
        limit_seconds: float = LIMIT_SECONDS,
        kept_seconds: float = KEPT_SECONDS,
    ) -> None:
        self._settings = settings
        self._checks = checks
        self._limit_seconds = limit_seconds
        self._kept_seconds = kept_seconds
        self._lock = threading.Lock()
        self._running: dict[Check, Future[CheckResult]] = {}
        self._results: list[CheckResult] = []
        self._kept_until = 0.0

    def results(self) -> list[CheckResult]:
        """Every check, in order. Returns after the time limit at the latest."""
        with self._lock:
            if time.monotonic() >= self._kept_until:
                self._results = self._run()
                self._kept_until = time.monotonic() + self._kept_seconds
            return self._results

    def _run(self) -> list[CheckResult]:
        for check in self._checks:
            if check not in self._running:
                self._running[check] = self._started(check)
        wait(self._running.values(), self._limit_seconds)
        return [self._result(check) for check in self._checks]

    def _started(self, check: Check) -> Future[CheckResult]:
        future: Future[CheckResult] = Future()

        def run() -> None:
            try:
                future.set_result(check(self._settings))
            # Whatever a check dies of is its result, and not the end of the page.
            except Exception as error:
                future.set_exception(error)

        threading.Thread(target=run, name=f"check-{name_of(check)}", daemon=True).start()
        return future

    def _result(self, check: Check) -> CheckResult:
        future = self._running[check]
        if not future.done():
            text = NO_ANSWER.format(seconds=self._limit_seconds)
            return CheckResult(name_of(check), False, text, ADVICE)
        del self._running[check]
        if error := future.exception():
            return CheckResult(name_of(check), False, f"failed: {type(error).__name__}", ADVICE)
        return future.result()


def name_of(check: Check) -> str:
    """The name of a check that has not told its own."""
    return getattr(check, "__name__", "check").removeprefix("check_")
