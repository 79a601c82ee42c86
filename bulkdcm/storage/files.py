"""Part 10 files in a folder: a temporary name beside the place, then `os.replace`, so no name ever holds half a file."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import threading
from typing import TYPE_CHECKING

from bulkdcm.errors import StorageError, StoreError
from bulkdcm.model import StoredInstance

if TYPE_CHECKING:
    from pathlib import Path

TEMPORARY_SUFFIX = ".bulkdcm-tmp"
# The disk's fault, not the row's: they would fail every row, so the run ends and can be resumed.
_ENDS_RUN = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS}
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


def prepare(folder: Path) -> None:
    """Make the output folder.

    Raises
    ------
    StorageError
        Where it can't be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"--out {folder}: {error.strerror}. Name a folder that can be written."
        raise StorageError(msg) from error
    if not os.access(folder, os.W_OK):
        msg = f"--out {folder}: no permission to write. Name a folder that can be written."
        raise StorageError(msg)


def store(folder: Path, output: str, data: bytes) -> StoredInstance:
    """Write `data` to `output` under `folder` and return what was stored.

    Parameters
    ----------
    folder
        The output folder.
    output
        Relative path with forward slashes.
    data
        The whole file.

    Raises
    ------
    StorageError
        Where the disk is full or failing.
    StoreError
        Where this name can't be written.
    """
    final = folder / output
    temporary = final.with_name(f".{os.getpid()}-{threading.get_ident()}{TEMPORARY_SUFFIX}")
    try:
        try:
            _write(temporary, data)
        except FileNotFoundError:
            final.parent.mkdir(parents=True, exist_ok=True)
            _write(temporary, data)
        temporary.replace(final)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        if error.errno in _ENDS_RUN:
            msg = f"{output}: {error.strerror}. Make room or mend the disk, then run the same command again."
            raise StorageError(msg) from error
        msg = f"{output}: {error.strerror}. Check the name in the output column and the permissions of the folder."
        raise StoreError(msg) from error
    return StoredInstance(output=output, size_bytes=len(data), sha256=hashlib.sha256(data).hexdigest())


def _write(path: Path, data: bytes) -> None:
    descriptor = os.open(path, _FLAGS, 0o666)
    try:
        rest = memoryview(data)
        while rest:  # a full disk may take a part and say so only by the count
            rest = rest[os.write(descriptor, rest) :]
    finally:
        os.close(descriptor)
