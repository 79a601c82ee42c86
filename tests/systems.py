"""What a test needs of the system that it runs on, or that is emulated for it (`tests/windows`)."""

from __future__ import annotations

import os
import sys

import pytest

_EMULATED = os.environ.get("BULKDCM_TESTS") == "windows"
WINDOWS = sys.platform == "win32" or _EMULATED

any_name = pytest.mark.skipif(WINDOWS, reason="Windows has no such names")
own_paths = pytest.mark.skipif(_EMULATED, reason="the test writes paths as this system does")
open_folders = pytest.mark.skipif(WINDOWS, reason="Windows opens no folders, and moves none whose files are open")
processes = pytest.mark.skipif(sys.platform != "linux" or _EMULATED, reason="only Linux tells such things of processes")
timers = pytest.mark.skipif(WINDOWS, reason="Windows has no timers that interrupt a process")


def shown(path: object) -> str:
    """Return a path as the command shows it."""
    return str(path).replace("/", "\\") if _EMULATED else str(path)
