"""Names of files: which ones a system takes for one, which it can't have, and paths as all systems write them."""

from __future__ import annotations

import os
import re
import shlex
import sys
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_SEPARATOR = os.sep
_ON_WINDOWS = sys.platform == "win32"
# Characters that no name has there; a colon would write into a hidden stream of another file.
_WINDOWS_CHARACTERS = re.compile(r'[<>:"|?*\\\x00-\x1f]')
# Devices, whatever follows the first dot: a file of such a name is read from or written to the device.
_WINDOWS_DEVICES = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³]) *(\..*)?", re.IGNORECASE)


def slashed(path: str) -> str:
    """Return a path of this system with forward slashes, which every system understands."""
    return path if _SEPARATOR == "/" else path.replace(_SEPARATOR, "/")


def real(path: str | Path) -> str:
    """Return the real path of a file or folder, with forward slashes."""
    return slashed(os.path.realpath(path))


def within(folder: str, path: str) -> bool:
    """Whether one real path is another, or lies below it."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def leads_out(path: str) -> bool:
    """Whether what should be a relative path with forward slashes may lead out of its folder, or can't be a path."""
    absolute = path.startswith(("/", _SEPARATOR)) or os.path.splitdrive(path)[0] != ""
    return absolute or ".." in path.split("/") or "\0" in path


def uri(path: str) -> str:
    """Return a database's path as SQLite's URI; `Path.as_uri` would make a host of a Windows share's."""
    quoted = path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    return f"file:{quoted}"


def fold(path: str) -> str:
    """Return what two paths share that some file systems take for one: case and Unicode form."""
    if path.isascii():
        return path.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def one_name(*, folds: bool) -> Callable[[str], str]:
    """Return what gives the names of one file one text, in a store that folds them or doesn't."""
    return fold if folds else str


def are_restricted() -> bool:
    """Whether this system refuses some names that others have."""
    return _ON_WINDOWS


def not_of_this_system(path: str) -> str:
    """Return why no file of this system can have a relative path with forward slashes; empty if one can."""
    return not_of_windows(path) if _ON_WINDOWS else ""


def not_of_windows(path: str) -> str:
    """Return why no file of Windows can have a relative path with forward slashes; empty if one can.

    Its documentation: Naming Files, Paths, and Namespaces.
    """
    for part in path.split("/"):
        if found := _WINDOWS_CHARACTERS.search(part):
            return f"Windows has no names with {found[0]!r}"
        if part not in {"", ".", ".."} and part[-1] in ". ":
            return "Windows has no names that end with a dot or a space"
        if _WINDOWS_DEVICES.fullmatch(part):
            return f"{part!r} is the name of a device on Windows"
    return ""


def word(text: str) -> str:
    """Return a text as one word of a command, as the system's shells take it: those of Windows know no single quotes."""
    if not _ON_WINDOWS:
        return shlex.quote(text)
    import subprocess  # noqa: PLC0415  # only where something is wrong, and it takes a while

    return subprocess.list2cmdline([text])
