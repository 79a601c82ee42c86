"""One run at a time on one output folder, and on one ledger."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import stat
import time
from typing import TYPE_CHECKING, Self

from bulkdcm import leftovers, system
from bulkdcm.errors import BusyError, LedgerError, of_system

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

_FILE = "lock"
_HOLDER_BYTES = 2000
# A link is not followed, and a pipe not waited at.
_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)
_FLAGS |= getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


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
            held.callback(os.close, _taken(self._folder / _FILE, "at this output folder"))
            if self._ledger:
                path = self._ledger.with_name(f"{self._ledger.name}.{_FILE}")
                _make_parents(path.parent)
                held.callback(os.close, _taken(path, f"with the ledger {self._ledger}"))
            self._held = held.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._held.close()


def is_held(folder: Path) -> bool:
    """Whether a run holds the lock in its own folder, as far as that can be known; nobody is kept from taking it.

    Parameters
    ----------
    folder
        The run's own folder inside the output folder.
    """
    path = folder / _FILE
    try:
        with path.open("rb") as file:
            text = file.read(_HOLDER_BYTES)
            number = os.fstat(file.fileno()).st_ino
    except OSError:
        return False
    pid, _ = _holder(text)
    if not text:
        return False  # nobody has signed it
    if not pid:
        return True  # on another machine or in another container, which can't be asked
    return system.alive(pid) and system.locks(pid, number)


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
        descriptor = os.open(probe, _FLAGS | os.O_EXCL, 0o600)
        try:
            own = os.fstat(descriptor).st_uid
        finally:
            os.close(descriptor)
            probe.unlink()
        owner = folder.stat().st_uid
    except OSError as error:
        raise of_system(error, folder, "written") from error
    if owner != own:
        msg = (
            f"{folder} belongs to another user (number {owner}; what this run makes there belongs to {own}). "
            "Run as that user, or use another --out."
        )
        raise LedgerError(msg)


def _taken(path: Path, where: str) -> int:
    """Open and take a lock, write who holds it, and return its descriptor."""
    try:
        if what := system.not_a_plain_file(path):
            msg = f"{path} is {what}, not the lock that a run makes. Remove it, or use another --out."
            raise LedgerError(msg)
        descriptor = os.open(path, _FLAGS, 0o666)
    except OSError as error:
        raise of_system(error, path, "opened") from error
    try:
        _take(descriptor, path, where)
        before = os.pread(descriptor, _HOLDER_BYTES, 0)
        _sign(descriptor, path)
    except BaseException:
        os.close(descriptor)
        raise
    leftovers.remove(*_holder(before))
    return descriptor


def _take(descriptor: int, path: Path, where: str) -> None:
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1:  # changed since it was looked at
        msg = f"{path} is not the lock that a run makes. Remove it, or use another --out."
        raise LedgerError(msg)
    try:
        free = system.lock(descriptor)
    except OSError as error:
        msg = (
            f"{path}: its file system can't lock files ({error.strerror}), so two runs at once could not be told apart. "
            "Use an --out on another file system, or have locking turned on (a network's file system needs its lock service)."
        )
        raise LedgerError(msg) from error
    if not free:
        holder = os.pread(descriptor, _HOLDER_BYTES, 0).decode("utf-8", "replace").partition("\n")[0].strip()
        msg = f"another run is {where}: {holder or 'it has just begun'}. Wait for it, or end it."
        raise BusyError(msg)


def _sign(descriptor: int, path: Path) -> None:
    """Write who holds the lock: a line for people, and one for the run that comes after a kill."""
    began = time.time()
    facts = {"pid": os.getpid(), "began_s": began, "host": socket.gethostname(), "pids": system.pid_namespace()}
    since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(began))
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"process {os.getpid()}, since {since}\n{json.dumps(facts)}\n".encode(), 0)
    except OSError as error:
        raise of_system(error, path, "written") from error


def _holder(text: bytes) -> tuple[int, float]:
    """Return the earlier holder's process and when it began; (0, 0) where it isn't known or ran elsewhere."""
    with contextlib.suppress(ValueError, KeyError, TypeError, AttributeError):
        facts = json.loads(text.partition(b"\n")[2])
        if facts["host"] == socket.gethostname() and facts["pids"] == system.pid_namespace() != "":
            return int(facts["pid"]), float(facts["began_s"])
    return 0, 0.0
