"""Files of a folder that go: old outputs that are still what was written, and what a killed run left half-written."""

from __future__ import annotations

import hashlib
import re
import stat
from typing import TYPE_CHECKING, Any

from bulkdcm import filesystem, names
from bulkdcm.stores.base import Removal
from bulkdcm.stores.folder import check_inside
from bulkdcm.stores.putting import STAGED_SUFFIX, TEMPORARY_SUFFIX

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Sequence
    from pathlib import Path

# Ours by its form: digits, as `putting` numbers them, or a digest. The first release put a report's name before them.
_STAGED = re.compile(rf"\.[0-9a-f]{{16}}{re.escape(STAGED_SUFFIX)}")
_TEMPORARY = re.compile(
    rf"\.(\d+-\d+(-[0-9a-f]{{8}})?|(report\.csv|report\.parquet|summary\.json)-\d+){re.escape(TEMPORARY_SUFFIX)}"
    rf"|{_STAGED.pattern}"
)


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
        if names.leads_out(output):
            found.foreign.append(output)
            continue
        path = folder / output
        try:
            check_inside(folder, path.parent)
            if not _as_written(path, path.lstat(), *facts):
                found.foreign.append(output)
                continue
            filesystem.remove(path)
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
    if not stat.S_ISREG(status.st_mode) or status.st_size != size_bytes:
        return False
    if sha256 is None or size_bytes is None:
        return False  # nothing tells that it is ours
    if status.st_mtime_ns == mtime_ns:
        return True
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == sha256


def is_staged(name: str) -> bool:
    """Whether a file has the name of one that is complete, and waits beside its place."""
    return _STAGED.fullmatch(name.rpartition("/")[2]) is not None


def is_temporary(name: str) -> bool:
    """Whether a run made a file that isn't complete, or hasn't its name yet: known by its form."""
    return _TEMPORARY.fullmatch(name.rpartition("/")[2]) is not None
