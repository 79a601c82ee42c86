"""Which item each worker is at: sixteen bytes of shared memory a worker, which outlive it.

They name the item that killed a worker, and the one that is over its time, at no cost to the others.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import shutil
import struct
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bulkdcm import system
from bulkdcm.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator

_PREFIX, _OLD_S = "bulkdcm-slots-", 86_400
# Number + 1 (0: idle), and the time it began on the machine's monotonic clock. A system may stop a worker between any two
# writes, for as long as it likes: so the time is there before the number is, and stays when that goes.
_FORM, _NUMBER, _BEGAN = struct.Struct("=qd"), struct.Struct("=q"), struct.Struct("=d")


class Slot(NamedTuple):
    """One worker's item."""

    pid: int
    number: int
    began_s: float


class OwnSlot:
    """The slot of this process.

    Parameters
    ----------
    folder
        Where the run keeps them; not on the output's disk, which may be full.
    """

    def __init__(self, folder: str) -> None:
        path = Path(folder, str(os.getpid()))
        try:
            path.write_bytes(bytes(_FORM.size))
            with path.open("r+b") as file:
                self._memory = mmap.mmap(file.fileno(), _FORM.size)
        except OSError:  # the run ended while this worker was starting, or its disk is full by now
            self._memory = mmap.mmap(-1, _FORM.size)

    def begin(self, number: int) -> None:
        """Say that the item of this number begins now."""
        self.end()
        _BEGAN.pack_into(self._memory, _NUMBER.size, time.monotonic())
        _NUMBER.pack_into(self._memory, 0, number + 1)

    def end(self) -> None:
        """Say that no item is under way."""
        _NUMBER.pack_into(self._memory, 0, 0)


def under_way(folder: str) -> list[Slot]:
    """Return the items that workers, dead or alive, are at; none once the run's end has removed what they said."""
    found = []
    with contextlib.suppress(FileNotFoundError):
        for path in Path(folder).iterdir():
            data = b""
            with contextlib.suppress(PermissionError):  # on Windows, of one that is being removed
                data = path.read_bytes()
            if len(data) == _FORM.size:
                after, began_s = _FORM.unpack(data)
                if after:
                    found.append(Slot(int(path.name), after - 1, began_s))
    return found


@contextlib.contextmanager
def folder_of_run(workers: int) -> Iterator[str]:
    """Make the folder of this run's slots; those of runs that were killed go.

    Parameters
    ----------
    workers
        How many there will be; room for their slots is made sure of.

    Raises
    ------
    StorageError
        If the folder for temporary files is full, read-only or missing.
    """
    with contextlib.ExitStack() as held:
        place = "the folder for temporary files"
        try:
            place = tempfile.gettempdir()
            _remove_old(Path(place))
            made = tempfile.TemporaryDirectory(prefix=f"{_PREFIX}{os.getpid()}-", ignore_cleanup_errors=True)
            folder = held.enter_context(made)
            room = Path(folder, "room")
            room.write_bytes(bytes((workers + 1) * mmap.PAGESIZE))
            room.unlink()
        except OSError as error:
            msg = (
                f"{place} can't be written: {error.strerror}. Workers say there which row they are at: make room, "
                "or name another folder with the environment variable TMPDIR, then run the same command again."
            )
            raise StorageError(msg) from error
        yield folder


def _remove_old(place: Path) -> None:
    for left in place.glob(f"{_PREFIX}*-*"):
        pid = left.name.removeprefix(_PREFIX).partition("-")[0]
        with contextlib.suppress(OSError):
            # A container may share the folder and not the process numbers: what is young may be alive there.
            old = time.time() - left.stat().st_mtime > _OLD_S
            if old and pid.isdigit() and not system.alive(int(pid)):
                shutil.rmtree(left, ignore_errors=True)


def clear(folder: str) -> None:
    """Forget the slots of workers that have ended."""
    for path in Path(folder).iterdir():
        try:
            path.unlink(missing_ok=True)
        except PermissionError:  # Windows removes no file that a process has mapped, which a dead one may still seem to
            with contextlib.suppress(OSError), path.open("r+b") as file:
                file.write(bytes(_FORM.size))
