"""The real command under the emulation of Windows, and folders of Windows' own file system."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conformance.readers import need

EMULATION = Path(__file__).parent / "emulation"


def emulated(**more: str) -> dict[str, str]:
    """Return the environment of a command under the emulation."""
    above = os.environ.get("PYTHONPATH", "")
    root = str(Path(__file__).parents[2])
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [str(EMULATION), root, above])), **more}


@pytest.fixture
def on_windows(bulkdcm_command):
    """Return a function that runs the real command under the emulation."""
    if sys.platform != "linux":
        pytest.skip("Windows is emulated on Linux")

    def run(*arguments, encoding="utf-8", longest="0"):
        more = {"PYTHONIOENCODING": encoding, "WINDOWS_LONGEST_PATH": longest}
        return bulkdcm_command(*arguments, env=emulated(**more), encoding=encoding, fork=False)

    return run


@pytest.fixture
def ntfs(tmp_path):
    """Return a folder of NTFS that takes capitals for small letters and has Windows' rules for names, or skip."""
    need("mkntfs", "lowntfs-3g")
    if not os.access("/dev/fuse", os.R_OK | os.W_OK) or os.geteuid() != 0:
        pytest.skip("mounting NTFS needs root and /dev/fuse")
    image, folder = tmp_path / "ntfs.img", tmp_path / "ntfs"
    image.touch()
    os.truncate(image, 50_000_000)
    folder.mkdir()
    subprocess.run(["mkntfs", "-F", "-Q", "-q", image], check=True, capture_output=True)
    subprocess.run(["lowntfs-3g", image, folder, "-o", "ignore_case,windows_names"], check=True, capture_output=True)
    yield folder
    subprocess.run(["umount", folder], check=True)
