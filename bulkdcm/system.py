"""What only some systems can do with processes, each with its fallback: elsewhere runs have less protection, and say so."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

if sys.platform != "win32":
    import resource
    from _multiprocessing import SemLock  # type: ignore[import-not-found]  # joblib looks with the same

_WATCH_EVERY_S = 0.1


def missing_protection() -> list[str]:
    """Return what this machine can't do, in words for the user."""
    lacks = [] if sys.platform == "linux" else ["--memory-limit is not enforced"]
    if sys.platform == "win32":
        lacks += ["workers of a killed run go on until they are idle", "--row-timeout always replaces the worker"]
    return lacks


def die_with(parent: int) -> None:
    """End this process within a quarter of a second after its parent has ended.

    A thread watches `os.getppid`: PR_SET_PDEATHSIG would follow the parent's thread, which joblib may end earlier.
    """
    if sys.platform == "win32":
        return
    if orphaned(parent):
        os._exit(1)

    def watch() -> None:
        while not orphaned(parent):
            time.sleep(_WATCH_EVERY_S)
        os._exit(1)

    threading.Thread(target=watch, name="bulkdcm-parent-watch", daemon=True).start()


def orphaned(parent: int) -> bool:
    """Whether `parent` is no longer this process's parent (nor this process itself, as in threads); 0: it has none."""
    return bool(parent) and sys.platform != "win32" and parent not in {os.getppid(), os.getpid()}


def limit_memory(size_bytes: int) -> None:
    """Let this process allocate at most `size_bytes` more than it has; 0 for no limit."""
    if sys.platform == "linux" and size_bytes:
        used = 0
        with contextlib.suppress(OSError, ValueError, IndexError):
            status = Path("/proc/self/status").read_text(encoding="ascii")
            used = int(status.split("VmData:")[1].split()[0]) * 1024
        with contextlib.suppress(OSError, ValueError):
            _, hard = resource.getrlimit(resource.RLIMIT_DATA)
            wanted = used + size_bytes
            resource.setrlimit(resource.RLIMIT_DATA, (wanted if hard < 0 else min(wanted, hard), hard))


def children_cpu_s() -> float:
    """Return the processor time of this process's children that have ended, in seconds."""
    used = os.times()
    return used.children_user + used.children_system


def memory_bytes() -> int:
    """Return the memory this process and its workers may use: the machine's or, if less, the control group's; 0 if unknown."""
    found = []
    if sys.platform != "win32":
        with contextlib.suppress(OSError, ValueError):
            found.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        with contextlib.suppress(OSError, ValueError):
            found.append(int(Path(path).read_text(encoding="ascii")))
    return min(found, default=0)


def children() -> list[int]:
    """Return the processes that this one has started; none where the system doesn't tell."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in Path("/proc/self/task").iterdir():
            found += [int(pid) for pid in (task / "children").read_text(encoding="ascii").split()]
    return found


def pid_namespace() -> str:
    """Return which process numbers this process knows: on Linux those of its container; empty if the system doesn't tell."""
    if sys.platform != "linux":
        return sys.platform  # all of the machine's
    with contextlib.suppress(OSError):
        return str(Path("/proc/self/ns/pid").readlink())
    return ""


def check_semaphores(count: int) -> None:
    """Make sure that there is room for so many named semaphores.

    Raises
    ------
    OSError
        If there isn't, or they can't be made at all.
    """
    if sys.platform != "win32":
        held = []
        for number in range(count):
            name = f"/bulkdcm-{os.urandom(6).hex()}-{number}"  # macOS takes 30 characters
            held.append(SemLock(1, 1, 1, name, True))  # noqa: FBT003  # unlinked at once; takes no names


def peak_memory_bytes(pid: int) -> int:
    """Return the most memory a process has had since it began its program; 0 where the system doesn't tell."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        return int(Path(f"/proc/{pid}/status").read_text(encoding="ascii").split("VmHWM:")[1].split()[0]) * 1024
    return 0


def forget_files(paths: Iterable[str]) -> bool:
    """Let the system drop files from its memory, so that the next to read them goes to the disk; return whether it can."""
    if sys.platform != "linux":
        return False
    for path in paths:
        with contextlib.suppress(OSError), Path(path).open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    return True


def kill(pid: int) -> None:
    """End a process at once."""
    with contextlib.suppress(OSError):
        os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))


def alive(pid: int) -> bool:
    """Whether a process with this number is there; True where that can't be known."""
    if sys.platform == "win32":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def process_began_s(pid: int) -> float:
    """Return when a process began, in seconds since 1970; 0 where the system doesn't tell."""
    if sys.platform != "linux":
        return 0.0
    with contextlib.suppress(OSError, ValueError, IndexError):
        words = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        age_s = time.clock_gettime(time.CLOCK_BOOTTIME) - int(words[19]) / os.sysconf("SC_CLK_TCK")
        return time.time() - age_s
    return 0.0
