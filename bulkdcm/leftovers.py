"""What a run that was killed left in the folders for temporary files, removed by the next one at its output."""

from __future__ import annotations

import contextlib
import math
import os
import re
import shutil
import tempfile
from pathlib import Path

from bulkdcm import system

_SHARED = Path("/dev/shm")  # noqa: S108  # where the system keeps named semaphores; only what is ours is touched
_SLACK_S = 2.0  # clocks of file systems may lag


def remove(pid: int, began_s: float) -> None:
    """Remove what a process has left that is no more.

    Parameters
    ----------
    pid
        Its number, on this host and in this container; 0 for none.
    began_s
        When it began: what is older is of an earlier process with its number.
    """
    if pid <= 1 or pid == os.getpid():
        return
    until_s = math.inf
    if system.alive(pid):  # another process may have its number by now, as where there are few
        until_s = system.process_began_s(pid) - _SLACK_S
        if not began_s < until_s:
            return
    ours = re.compile(rf"bulkdcm-slots-{pid}-\w+|sem\.loky-{pid}-\w+|(joblib_memmapping_folder|loky)[-_]{pid}[-_]\w+")
    for place in {_SHARED, _temporary(), Path(os.environ.get("JOBLIB_TEMP_FOLDER") or _SHARED)}:
        with contextlib.suppress(OSError), os.scandir(place) as entries:
            for entry in entries:
                if ours.fullmatch(entry.name):
                    _remove(entry, began_s, until_s)


def _temporary() -> Path:
    try:
        return Path(tempfile.gettempdir())
    except OSError:  # nowhere can be written: the run says so itself
        return _SHARED


def _remove(entry: os.DirEntry[str], began_s: float, until_s: float) -> None:
    with contextlib.suppress(OSError):
        found = entry.stat(follow_symlinks=False)
        if not began_s - _SLACK_S <= found.st_mtime <= until_s or (
            hasattr(os, "geteuid") and found.st_uid != os.geteuid()
        ):
            return
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path, ignore_errors=True)
        elif not entry.is_symlink():
            Path(entry.path).unlink()
