"""What a test needs of the system that it runs on, or that is emulated for it (`tests/windows`)."""

from __future__ import annotations

import os
import sys

import pytest

WINDOWS = sys.platform == "win32" or os.environ.get("BULKDCM_TESTS") == "windows"

open_folders = pytest.mark.skipif(
    WINDOWS, reason="Windows opens no folders, and keeps those whose files are open where they are"
)
timers = pytest.mark.skipif(WINDOWS, reason="Windows has no timers that interrupt a process")
