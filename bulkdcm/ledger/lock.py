"""One run at a time on one output folder, and on one ledger."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import socket
import stat
import time
from typing import TYPE_CHECKING, Self

import filelock

from bulkdcm import filesystem, leftovers, system
from bulkdcm.errors import BusyError, LedgerError, of_system

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

_FILE = "lock"
_HOLDER_SUFFIX = ".holder"  # a file of its own: Windows lets nobody read the one that is locked
_HOLDER_BYTES = 2000
_PATIENCE_S = 0.3  # in which `is_held`, which looks for a moment, is out of the way
_LONG_PATIENCE_S = 10.0  # if no run can be there: the system may have stopped whoever looks
_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL}
_SIGN = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


class Lock:
    """Held within a ``with`` block. The system gives it up when its process ends, however it ends.

    Parameters
    ----------
    folder
        The run's own folder inside the output folder.
    ledger
        A ledger elsewhere, which another output folder might name too.

    Raises
    ------
    BusyError
        If another run holds it; names its process id and start.
    LedgerError
        If the folder or the lock is not as a run makes it, or the file system can't lock.
    StorageError
        If the disk is full or failing.
    """

    def __init__(self, folder: Path, ledger: Path | None = None) -> None:
        self._folder, self._ledger = folder, ledger
        self._held = contextlib.ExitStack()

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as held:
            _make(self._folder)
            _refuse_foreign(self._folder)
            held.callback(_taken(self._folder / _FILE, "at this output folder").release)
            if self._ledger:
                path = self._ledger.with_name(f"{self._ledger.name}.{_FILE}")
                _make_parents(path.parent)
                held.callback(_taken(path, f"with the ledger {self._ledger}").release)
            self._held = held.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._held.close()


def is_held(folder: Path) -> bool:
    """Whether a run holds the lock in its own folder, found out by taking it for a moment, in which a run waits.

    Parameters
    ----------
    folder
        The run's own folder inside the output folder.
    """
    path = folder / _FILE
    try:
        if filesystem.not_a_plain_file(path) or not path.exists():
            return False
        with _lock(path).acquire(timeout=0):
            return False
    except filelock.Timeout:
        return True
    except (OSError, NotImplementedError):  # it may only be read, or can't be locked: what its holder has written
        pid, _ = _holder(_signature(path))
        return bool(pid) and system.alive(pid)


def _lock(path: Path) -> filelock.BaseFileLock:
    """Return a lock that is given up when its process ends, and never one of those that a crash leaves behind."""
    return filelock.FileLock(path, fallback_to_soft=False, thread_local=False)


def _make_parents(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise of_system(error, folder, "made") from error


def _make(folder: Path) -> None:
    """Make the run's own folder; refuse what is there in its place."""
    try:
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            if stat.S_ISDIR(folder.lstat().st_mode):
                return
            what = "a symbolic link" if folder.is_symlink() else "a file"
            msg = f"{folder} is {what}; it must be the folder where runs keep their ledger. Move it away, or use another --out."
            raise LedgerError(msg) from None
    except OSError as error:
        raise of_system(error, folder, "made") from error


def _refuse_foreign(folder: Path) -> None:
    """Refuse a folder of another user, who could change what the ledger says.

    What this process makes tells who it is there: a network's file system may give all files to one user.
    """
    probe = folder / f".owner-{os.getpid()}-{time.time_ns()}"
    try:
        descriptor = os.open(probe, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            own = os.fstat(descriptor).st_uid
        finally:
            os.close(descriptor)
            filesystem.remove(probe)
        owner = folder.stat().st_uid
    except OSError as error:
        raise of_system(error, folder, "written") from error
    if owner != own:
        msg = (
            f"{folder} belongs to another user (number {owner}; what this run makes there belongs to {own}). "
            "Run as that user, or use another --out."
        )
        raise LedgerError(msg)


def _taken(path: Path, where: str) -> filelock.BaseFileLock:
    """Take a lock, write who holds it, and return it."""
    lock, signature = _lock(path), path.with_name(path.name + _HOLDER_SUFFIX)
    try:
        _refuse_others(path, signature)
        _take(lock, path, where)
    except OSError as error:
        raise of_system(error, path, "opened") from error
    try:
        before = _signature(path)
        _sign(signature)
    except BaseException:
        lock.release()
        raise
    leftovers.remove(*_holder(before))
    return lock


def _refuse_others(*paths: Path) -> None:
    for path in paths:
        if what := filesystem.not_a_plain_file(path):
            msg = f"{path} is {what}, not the lock that a run makes. Remove it, or use another --out."
            raise LedgerError(msg)


def _take(lock: filelock.BaseFileLock, path: Path, where: str) -> None:
    try:
        try:
            lock.acquire(timeout=_PATIENCE_S)
        except filelock.Timeout:
            pid, _ = _holder(_signature(path))
            if not pid or system.alive(pid):
                raise
            lock.acquire(timeout=_LONG_PATIENCE_S)
    except filelock.Timeout as error:
        holder = _signature(path).decode("utf-8", "replace").partition("\n")[0].strip()
        msg = f"another run is {where}: {holder or 'it has just begun'}. Wait for it, or end it."
        raise BusyError(msg) from error
    except (OSError, NotImplementedError) as error:
        if getattr(error, "errno", errno.ENOSYS) not in _NO_LOCKS:
            raise
        reason = getattr(error, "strerror", None) or str(error)
        msg = (
            f"{path}: its file system can't lock files ({reason}), so two runs at once could not be told apart. "
            "Use an --out on another file system, or have locking turned on (a network's file system needs its lock service)."
        )
        raise LedgerError(msg) from error


def _signature(path: Path) -> bytes:
    """Return what the holder of a lock, or the last one, has written; empty if nothing was."""
    with contextlib.suppress(OSError), path.with_name(path.name + _HOLDER_SUFFIX).open("rb") as file:
        return file.read(_HOLDER_BYTES)
    return b""


def _sign(path: Path) -> None:
    """Write who holds the lock: a line for people, and one for the run that comes after a kill."""
    # When the process began, since its workers may have started long before the lock is taken.
    began_s = system.process_began_s(os.getpid()) or time.time()
    facts = {"pid": os.getpid(), "began_s": began_s, "host": socket.gethostname(), "pids": system.pid_namespace()}
    since = time.strftime("%Y-%m-%d %H:%M:%S")
    try:
        with open(os.open(path, _SIGN, 0o666), "wb") as file:  # noqa: PTH123  # follows no link
            file.write(f"process {os.getpid()}, since {since}\n{json.dumps(facts)}\n".encode())
    except OSError as error:
        raise of_system(error, path, "written") from error


def _holder(text: bytes) -> tuple[int, float]:
    """Return the earlier holder's process and when it began; (0, 0) where it isn't known or ran elsewhere."""
    with contextlib.suppress(ValueError, KeyError, TypeError, AttributeError):
        facts = json.loads(text.partition(b"\n")[2])
        if facts["host"] == socket.gethostname() and facts["pids"] == system.pid_namespace() != "":
            return int(facts["pid"]), float(facts["began_s"])
    return 0, 0.0
