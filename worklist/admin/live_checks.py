"""The checks of `readfirst doctor`, run for a page: with a time limit, and not at every request."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait

from readfirst.language.languages import Language
from readfirst.language.texts import current_language, gettext, speaking
from readfirst.settings import Settings
from readfirst.site.checks import CheckResult

Check = Callable[[Settings], CheckResult]
Run = tuple[Check, Language]
#: Seconds that the checks have together, and for which their results are kept.
LIMIT_SECONDS, KEPT_SECONDS = 5.0, 10.0
#: Of a check that does not end: a folder on a share that is gone, most often.
NO_ANSWER = "no answer within {seconds} s"
ADVICE = "Run `readfirst doctor` on the machine. A network share that hangs is the usual cause."


class LiveChecks:
    """The results of checks, at most some seconds old.

    A check that hangs is told as such, and is not begun again before it has ended. Each runs for a
    language: its texts are made in it.
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
        self._running: dict[Run, Future[CheckResult]] = {}
        self._results: dict[Language, tuple[float, list[CheckResult]]] = {}

    def results(self) -> list[CheckResult]:
        """Every check, in order and in the language that is spoken.

        Returns after the time limit at the latest.
        """
        language = current_language()
        with self._lock:
            until, results = self._results.get(language, (0.0, []))
            if time.monotonic() >= until:
                results = self._run(language)
                self._results[language] = (time.monotonic() + self._kept_seconds, results)
            return results

    def _run(self, language: Language) -> list[CheckResult]:
        runs = [(check, language) for check in self._checks]
        for run in runs:
            if run not in self._running:
                self._running[run] = self._started(run)
        wait([self._running[run] for run in runs], self._limit_seconds)
        return [self._result(run) for run in runs]

    def _started(self, run: Run) -> Future[CheckResult]:
        check, language = run
        future: Future[CheckResult] = Future()

        def work() -> None:
            try:
                with speaking(language):
                    future.set_result(check(self._settings))
            # Whatever a check dies of is its result, and not the end of the page.
            except Exception as error:
                future.set_exception(error)

        threading.Thread(target=work, name=f"check-{name_of(check)}", daemon=True).start()
        return future

    def _result(self, run: Run) -> CheckResult:
        check, future = run[0], self._running[run]
        if not future.done():
            text = gettext(NO_ANSWER).format(seconds=f"{self._limit_seconds:.0f}")
            return CheckResult(name_of(check), False, text, gettext(ADVICE))
        del self._running[run]
        if error := future.exception():
            text = gettext("failed: {reason}").format(reason=type(error).__name__)
            return CheckResult(name_of(check), False, text, gettext(ADVICE))
        return future.result()


def name_of(check: Check) -> str:
    """The name of a check that has not told its own."""
    return getattr(check, "__name__", "check").removeprefix("check_")
