"""What bulkdcm finds on a machine: what it needs, what it could use, and the command that brings what is missing."""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
import tempfile
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bulkdcm import system
from bulkdcm._version import __version__
from bulkdcm.engines import cores
from bulkdcm.errors import RunError
from bulkdcm.images import decoders
from bulkdcm.ledger.lock import Lock

if TYPE_CHECKING:
    from collections.abc import Iterator

_LEAST_PYTHON = (3, 11)
_REQUIREMENT = re.compile(r"(?P<name>[\w-]+)[^;]*(?:;(?:.*extra == ['\"](?P<extra>\w+)['\"])?.*)?")
_BELOW = re.compile(r"python_version < ['\"](\d+)\.(\d+)")
_FOR_DEVELOPERS = "dev"
_TOOLS = {
    "dciodvfy": ("dicom3tools", "checks every file against its IOD"),
    "dcmdump": ("dcmtk", "shows what is in a file"),
    "gdcminfo": ("libgdcm-tools", "another reader"),
}
_LEAST_FREE_BYTES = 1_000_000_000
_LEAST_SHARED_BYTES = 64_000_000


class Fact(NamedTuple):
    """One thing that was looked at.

    Attributes
    ----------
    state
        ``ok``; ``missing``, if bulkdcm works without it; ``wrong``, if it doesn't.
    what, found
        What was looked at, and what is there.
    remedy
        What brings it; empty if nothing is to be done.
    """

    state: str
    what: str
    found: str
    remedy: str = ""


def facts(folder: Path) -> Iterator[Fact]:
    """Yield what is there, in an order for people.

    Parameters
    ----------
    folder
        Where files are to be written.
    """
    yield Fact("ok", "bulkdcm", __version__)
    version = platform.python_version()
    if sys.version_info[:2] >= _LEAST_PYTHON:
        yield Fact("ok", "Python", version)
    else:
        yield Fact("wrong", "Python", version, "Install Python 3.11 or newer")
    yield from _packages()
    yield from _tools()
    yield Fact("ok", "machine", f"{cores()} cores, {system.memory_bytes() / 1e9:.1f} GB of memory, {platform.system()}")
    yield from _places(folder)
    yield from (Fact("missing", "protection", note) for note in system.missing_protection())


def _packages() -> Iterator[Fact]:
    for name, extra in _requirements():
        if name == decoders.NAME:
            yield _decoder()
            continue
        found = _version(name)
        what = f"{name} (extra {extra})" if extra else name
        remedy = f"pip install 'bulkdcm[{extra}]'" if extra else f"pip install {name}"
        lacks = Fact("missing" if extra else "wrong", what, "not installed", remedy)
        yield Fact("ok", what, found) if found else lacks


def _decoder() -> Fact:
    """Say which decoder of PNG and JPEG is here: one that has no wheel for this Python or machine has another in its place."""
    what, release = f"{decoders.NAME} (decodes PNG and JPEG)", decoders.release()
    if release:
        return Fact("ok", what, release.removeprefix(f"{decoders.NAME} "))
    return Fact(
        "missing", what, "not installed; Pillow does the same, slower", f"{decoders.REMEDY}, if it has a wheel here"
    )


def _requirements() -> list[tuple[str, str]]:
    """Return the packages that bulkdcm says it needs here, each with the extra that brings it, if it is one's."""
    try:
        lines = metadata.requires("bulkdcm") or []
    except metadata.PackageNotFoundError:
        return []  # run from a folder
    found = [
        (match["name"], match["extra"] or "")
        for line in lines
        if _is_meant(line) and (match := _REQUIREMENT.fullmatch(line))
    ]
    return list(dict.fromkeys(one for one in found if one[1] != _FOR_DEVELOPERS))


def _is_meant(line: str) -> bool:
    """Whether a requirement is one of this Python's; the decoder is named in any."""
    below = _BELOW.search(line)
    return not below or line.startswith(decoders.NAME) or sys.version_info[:2] < tuple(map(int, below.groups()))


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _tools() -> Iterator[Fact]:
    for name, (package, use) in _TOOLS.items():
        place = shutil.which(name)
        if place:
            yield Fact("ok", f"{name} ({use})", place)
        else:
            yield Fact("missing", f"{name} ({use})", "not installed", f"apt install {package}, on Debian and Ubuntu")


def _places(folder: Path) -> Iterator[Fact]:
    """Yield what is said of the folders that are written to."""
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        yield Fact("wrong", f"folder {folder}", error.strerror or "can't be used", "Name a folder that is there")
        return
    room = f"{free / 1e9:,.1f} GB free"
    enough = free >= _LEAST_FREE_BYTES
    yield Fact("ok", f"folder {folder}", room) if enough else Fact("missing", f"folder {folder}", room, "Make room")
    yield _lock(folder)
    yield _written("temporary folder", Path(tempfile.gettempdir()), "Set TMPDIR to a folder that can be written")
    shared = Path("/dev/shm")  # noqa: S108  # only looked at
    if shared.is_dir():
        size = shutil.disk_usage(shared).free
        fact = _written("shared memory", shared, "Mount /dev/shm so that it can be written")
        small = size < _LEAST_SHARED_BYTES and fact.state == "ok"
        yield Fact("missing", "shared memory", f"{size / 1e6:.0f} MB free", "Give it more room") if small else fact


def _written(what: str, folder: Path, remedy: str) -> Fact:
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix="bulkdcm-doctor-"):
            return Fact("ok", what, str(folder))
    except OSError as error:
        return Fact("wrong", what, f"{folder}: {error.strerror}", remedy)


def _lock(folder: Path) -> Fact:
    """Say whether a run could lock an output folder here, by doing it in a folder of its own."""
    try:
        with tempfile.TemporaryDirectory(dir=folder, prefix="bulkdcm-doctor-") as own, Lock(Path(own, "lock"), None):
            return Fact("ok", "locks", "files can be locked here")
    except RunError as error:
        return Fact("wrong", "locks", str(error), "Use an output folder on another disk")
    except OSError as error:
        return Fact("wrong", "locks", f"{os.fspath(folder)}: {error.strerror}", "Name a folder that can be written")
