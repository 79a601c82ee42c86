"""What figures depend on."""

from __future__ import annotations

import contextlib
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

from bulkdcm import system
from bulkdcm._version import __version__
from bulkdcm.engines import cores

_PACKAGES = ("pydicom", "Pillow", "numpy", "joblib", "pandas", "kornia-rs")


def machine() -> dict[str, Any]:
    """Return processor, cores, memory, system and the versions of what does the work."""
    cpu = platform.processor()
    with contextlib.suppress(OSError, IndexError):
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
        cpu = text.split("model name")[1].splitlines()[0].partition(":")[2].strip()
    return {
        "cpu": cpu,
        "cores": cores(),
        "memory_gb": round(system.memory_bytes() / 1e9, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "packages": {"bulkdcm": __version__, **_releases()},
    }


def _releases() -> dict[str, str]:
    """Return those of the packages that are here: one of them has no wheels everywhere."""
    found = {}
    for name in _PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found
