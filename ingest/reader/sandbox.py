"""Confinement of the process that reads a file: it may read that file, and answer.

Two means of Linux, each where the kernel has it: Landlock closes the file system but for the one
file and Python's own libraries (landlock(7)), seccomp refuses the system calls for networks,
programs, processes and other people's memory (seccomp(2)). Both need no privileges, and a process
that has entered cannot leave.
"""

import errno
import importlib
import os
import sysconfig
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

#: Our own packages that reading needs; other folders beside them may hold a site's data.
OWN_PACKAGES = ("ingest", "readfirst")
#: CLONE_THREAD of sched.h: a thread is allowed, a process is not.
THREAD = 0x00010000
#: System calls that reading a file never needs, by what they would open.
REFUSED_CALLS = (
    # networks
    "socket",
    "socketpair",
    "connect",
    "bind",
    "listen",
    "accept",
    "accept4",
    "sendto",
    "sendmsg",
    "sendmmsg",
    # programs and processes
    "execve",
    "execveat",
    "fork",
    "vfork",
    "kill",
    "tkill",
    "pidfd_open",
    "pidfd_getfd",
    "pidfd_send_signal",
    "setsid",
    "setpgid",
    # the memory and the secrets of others
    "ptrace",
    "process_vm_readv",
    "process_vm_writev",
    "process_madvise",
    "kcmp",
    "keyctl",
    "add_key",
    "request_key",
    # what Landlock does not look at
    "chmod",
    "fchmod",
    "fchmodat",
    "fchmodat2",
    "chown",
    "fchown",
    "lchown",
    "fchownat",
    "utime",
    "utimes",
    "utimensat",
    "futimesat",
    "setxattr",
    "lsetxattr",
    "fsetxattr",
    "removexattr",
    "lremovexattr",
    "fremovexattr",
    "flock",
    "chdir",
    "fchdir",
    "chroot",
    "open_by_handle_at",
    "name_to_handle_at",
    # the kernel itself
    "mount",
    "umount2",
    "pivot_root",
    "unshare",
    "setns",
    "bpf",
    "perf_event_open",
    "userfaultfd",
    "io_uring_setup",
    "init_module",
    "finit_module",
    "kexec_load",
    "reboot",
    "swapon",
    "mq_open",
    "shmget",
    "msgget",
    "semget",
)


def prepare() -> None:
    """Load what each process needs to confine itself, once for all that are forked from this."""
    refused_calls()
    if landlock_version():
        _libraries()


def library_rules() -> Any:
    """Landlock's rules for the libraries, before the file is known; None without Landlock.

    Raises OSError if a kernel that has Landlock refuses it.
    """
    if not landlock_version():
        return None
    from landlock import FSAccess, Ruleset

    rules = Ruleset()
    rules.allow(*_libraries(), rules=FSAccess.READ_FILE | FSAccess.READ_DIR)
    return rules


def close_file_system(rules: Any, files: Sequence[Path], folder: Path | None = None) -> None:
    """Give up all but reading these files, and writing into this folder, for ever.

    rules: of `library_rules`; they are used up. Raises OSError as there.
    """
    if rules is None:
        return
    from landlock import FSAccess

    rules.allow(*files, rules=FSAccess.READ_FILE)
    if folder is not None and folder.is_dir():
        written = FSAccess.READ_FILE | FSAccess.READ_DIR | FSAccess.WRITE_FILE | FSAccess.MAKE_REG
        rules.allow(folder, rules=written | (FSAccess.all() & FSAccess.TRUNCATE))
    rules.apply()
    os.close(rules._fd)


def refuse_calls() -> None:
    """Give up networks, programs and other processes for ever. Raises OSError as above."""
    if (calls := refused_calls()) is not None:
        calls.load()


@cache
def refused_calls() -> Any:
    """The filter of system calls, made once for all processes; None without seccomp."""
    if not has_seccomp():
        return None
    seccomp: Any = importlib.import_module("pyseccomp")
    calls = seccomp.SyscallFilter(seccomp.ALLOW)
    refuse = seccomp.ERRNO(errno.EPERM)
    for name in REFUSED_CALLS:
        # Not every processor has every call.
        with suppress(OSError, ValueError, RuntimeError):
            calls.add_rule(refuse, name)
    calls.add_rule(refuse, "clone", seccomp.Arg(0, seccomp.MASKED_EQ, THREAD, 0))
    # Its flags lie in memory, where no filter looks; the C library then takes `clone`.
    calls.add_rule(seccomp.ERRNO(errno.ENOSYS), "clone3")
    return calls


def means() -> list[str]:
    """Name the means that this kernel has, as people search for them."""
    version = landlock_version()
    return [f"Landlock {version}"] * bool(version) + ["seccomp"] * has_seccomp()


@cache
def landlock_version() -> int:
    """The version of Landlock's interface that the kernel speaks; 0 if it has none."""
    try:
        return int(importlib.import_module("landlock").landlock_abi_version())
    except (ImportError, OSError, AttributeError):
        return 0


def has_seccomp() -> bool:
    """True where libseccomp is installed and the kernel takes filters."""
    try:
        importlib.import_module("pyseccomp")
    except (ImportError, RuntimeError, OSError):
        return False
    return Path("/proc/sys/kernel/seccomp").is_dir()


@cache
def _libraries() -> tuple[str, ...]:
    """The folders that modules and codecs are loaded from, some only when a file wants them."""
    paths = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    for package in OWN_PACKAGES:
        paths.update(importlib.import_module(package).__path__)
    return tuple(path for path in sorted(paths) if Path(path).is_dir())
