"""What a source's name says of archives: a ``!`` after an archive's ending stands between the archive and its member."""

from __future__ import annotations

import os
import posixpath
import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

MARK = "!"
ENDINGS = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.zst", ".parquet")
# Of these nothing says where their members would lie if they were unpacked: in a folder of the archive's name.
_OWN_FOLDER = (".parquet",)
_ENDING = "|".join(map(re.escape, ENDINGS))
_DIVIDES = re.compile(rf"[^/](?:{_ENDING}){MARK}(?=.)", re.IGNORECASE | re.DOTALL)
_NOT_NORMAL = re.compile(r"//|/\.|^\.|/$")  # without it a path is in its normal form


def split(name: str, files: Collection[str] = ()) -> tuple[str, str] | None:
    """Return the archive and the member that a name means; None if it means a file, as those of `files` do."""
    if MARK not in name or name in files:
        return None
    match = _DIVIDES.search(name)
    return (name[: match.end() - 1], name[match.end() :]) if match else None


def ending(archive: str) -> str:
    """Return the ending that makes a file an archive, in lower case; empty if it has none."""
    name = archive.lower()
    return max((each for each in ENDINGS if name.endswith(each)), key=len, default="")


def file_of(name: str, files: Collection[str] = ()) -> str:
    """Return the file that a name leads to: the archive of a member, else the name itself; `files` as in `split`."""
    divided = split(name, files)
    return divided[0] if divided else name


def normal(name: str) -> str:
    """Return a member's name in its normal form: no step in the member leads into the archive's path."""
    archive, member = split(name) or ("", name)
    return f"{posixpath.normpath(archive)}{MARK}{posixpath.normpath(member)}"


def unpacked(name: str) -> str:
    """Return where a member would lie if its archive were unpacked in the folder that it is in."""
    archive, member = split(name) or ("", name)
    member = posixpath.normpath(member)
    if member.startswith(("/", "..")):
        return member  # it lies nowhere, and is refused
    own = ending(archive) in _OWN_FOLDER
    folder = archive[: -len(ending(archive))] if own else posixpath.dirname(archive)
    return f"{folder}/{member}" if folder else member


def files(names: Iterable[str], root: str) -> frozenset[str]:
    """Return the names, in normal form, that read as members and are files under `root`: those are what is meant."""
    marked = (posixpath.normpath(name) for name in names if split(name))
    return frozenset(name for name in marked if os.path.lexists(f"{root}/{name}"))


def key(member: str) -> str:
    """Return what a member is known by: its path in normal form, as path and as Unicode."""
    path = posixpath.normpath(member) if _NOT_NORMAL.search(member) else member
    return path if path.isascii() else unicodedata.normalize("NFC", path)
