"""Which row each worker is at: sixteen bytes of shared memory a worker, which outlive it.

They name the row that killed a worker, and the row that is over its time, at no cost to the others.
"""

from __future__ import annotations

import mmap
import os
import struct
import time
from pathlib import Path
from typing import NamedTuple

_FORM = struct.Struct("=qd")  # ordinal + 1 (0: idle), time it began on the machine's monotonic clock


class Slot(NamedTuple):
    """One worker's row."""

    pid: int
    ordinal: int
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
        except FileNotFoundError:  # the run ended while this worker was starting
            self._memory = mmap.mmap(-1, _FORM.size)
            return
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), _FORM.size)

    def begin(self, ordinal: int) -> None:
        """Say that the row at `ordinal` begins now."""
        _FORM.pack_into(self._memory, 0, ordinal + 1, time.monotonic())

    def end(self) -> None:
        """Say that no row is under way."""
        _FORM.pack_into(self._memory, 0, 0, 0.0)


def under_way(folder: str) -> list[Slot]:
    """Return the rows that workers, dead or alive, are at."""
    found = []
    for path in Path(folder).iterdir():
        data = path.read_bytes()
        if len(data) == _FORM.size:
            after, began_s = _FORM.unpack(data)
            if after:
                found.append(Slot(int(path.name), after - 1, began_s))
    return found


def clear(folder: str) -> None:
    """Forget the slots of workers that have ended."""
    for path in Path(folder).iterdir():
        path.unlink(missing_ok=True)
