"""Some of the parts of `readfirst up`, watched and started again as by it.

`python -m tests.support.part_of_stack ingest beat`: the names are those of the supervisor.
"""

import sys

from cli.parts import stop_on_signal
from cli.supervisor import Supervisor
from readfirst.files.folders import make_home
from readfirst.files.private_files import keep_private
from readfirst.settings import load_settings
from readfirst.startup.garbage import collect_seldom


def main(names: set[str]) -> None:
    """Run them until a signal comes."""
    collect_seldom()
    keep_private()
    settings = load_settings()
    make_home(settings.home_path)
    supervisor = Supervisor(settings)
    supervisor.processes = [each for each in supervisor.processes if each.name in names]
    assert len(supervisor.processes) == len(names)
    with stop_on_signal() as stop:
        supervisor.start()
        while not stop.wait(1.0):
            supervisor.restart_dead()
        supervisor.stop()


if __name__ == "__main__":
    main({*sys.argv[1:]})
