"""Files that go: old outputs that are still what was written, and what a killed run left half-written."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bulkdcm.storage.files import STAGED_SUFFIX, TEMPORARY_SUFFIX
from bulkdcm.storage.folder import check_inside

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

_TEMPORARY = re.compile(
    rf"\.(\d+-\d+(-[0-9a-f]{{8}})?|report\.\w+-\d+|summary\.json-\d+){re.escape(TEMPORARY_SUFFIX)}"
    rf"|\.[0-9a-f]{{16}}{re.escape(STAGED_SUFFIX)}"
)


@dataclass(frozen=True, slots=True)
class Removal:
    """What became of outputs that were to go.

    Attributes
    ----------
    gone
        Those that aren't there any more.
    foreign
        Those in whose place another file is now, which stays.
    failed
        Why the others could not be removed.
    """

    gone: list[str]
    foreign: list[str]
    failed: dict[str, str]


def remove(folder: Path, files: Iterable[Sequence[Any]]) -> Removal:
    """Remove outputs that are still what was written, and the folders they leave empty.

    Parameters
    ----------
    folder
        The output folder.
    files
        Of each: output, size in bytes, modification time in ns, SHA-256.
    """
    found = Removal([], [], {})
    for output, *facts in files:
        path = folder / output
        try:
            check_inside(folder, path.parent)
            if not _as_written(path, path.lstat(), *facts):
                found.foreign.append(output)
                continue
            path.unlink()
        except FileNotFoundError:
            pass
        except OSError as error:
            found.failed[output] = error.strerror or str(error)
            continue
        found.gone.append(output)
        for parent in path.parents:
            if parent == folder:
                break
            try:
                parent.rmdir()
            except OSError:
                break
    return found


def _as_written(
    path: Path, status: os.stat_result, size_bytes: int | None, mtime_ns: int | None, sha256: str | None
) -> bool:
    if not stat.S_ISREG(status.st_mode) or (status.st_size != size_bytes and size_bytes is not None):
        return False
    if sha256 is None or status.st_mtime_ns == mtime_ns:
        return True
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == sha256


def remove_temporary(folder: Path, keep: Collection[str] = ()) -> int:
    """Remove what a killed run left half-written, by our own names only; return how many files.

    Parameters
    ----------
    folder
        The output folder.
    keep
        Staged files that are still to get their names, relative to it.
    """
    count = 0
    for where, _, names in os.walk(folder):
        for name in names:
            if _TEMPORARY.fullmatch(name) and Path(where, name).relative_to(folder).as_posix() not in keep:
                Path(where, name).unlink(missing_ok=True)
                count += 1
    return count
