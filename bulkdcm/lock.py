"""One run at a time on one output folder."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Self

from bulkdcm import system
from bulkdcm.errors import BusyError

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

_FILE = "lock"


class Lock:
    """Held within a ``with`` block. The system gives it up when its process ends, however it ends.

    Parameters
    ----------
    folder
        The run's own folder inside the output folder.

    Raises
    ------
    BusyError
        Where another run holds it; names its process id and start.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / _FILE
        self._descriptor = -1

    def __enter__(self) -> Self:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o666)
        if not system.lock(self._descriptor):
            holder = os.pread(self._descriptor, 200, 0).decode("utf-8", "replace").strip()
            os.close(self._descriptor)
            msg = f"another run is at this output folder: {holder or 'it has just begun'}. Wait for it, or end it."
            raise BusyError(msg)
        os.ftruncate(self._descriptor, 0)
        began = time.strftime("%Y-%m-%d %H:%M:%S")
        os.write(self._descriptor, f"process {os.getpid()}, since {began}\n".encode())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        os.close(self._descriptor)
