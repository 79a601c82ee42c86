"""Part 10 files in a folder: a temporary name beside the place, then `os.replace`, so no name ever holds half a file."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import threading
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from bulkdcm import system
from bulkdcm.errors import StorageError, StoreError
from bulkdcm.outcome import StoredInstance

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    Buffer = bytes | memoryview

TEMPORARY_SUFFIX = ".bulkdcm-tmp"
_TEMPORARY = re.compile(r"\.(\d+-\d+(-[0-9a-f]{8})?|report\.\w+-\d+|summary\.json-\d+)" + re.escape(TEMPORARY_SUFFIX))
# Machines that share a folder may have processes of the same number.
_TOKEN = os.urandom(4).hex()
# The disk's fault, not the row's: they would fail every row, so the run ends and can be resumed.
_ENDS_RUN = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS}
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_FLAGS |= getattr(os, "O_NOFOLLOW", 0)
_RESUME = "Make room or mend the disk, then run the same command again."


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


def store(folder: str, output: str, data: Sequence[Buffer]) -> StoredInstance:
    """Write `data` to `output` under `folder` and return what was stored.

    Parameters
    ----------
    folder
        The output folder.
    output
        Relative path with forward slashes.
    data
        The whole file, in pieces.

    Raises
    ------
    StorageError
        Where the disk is full or failing.
    StoreError
        Where this name can't be written.
    """
    final = os.path.join(folder, output)
    parent = os.path.dirname(final)
    temporary = os.path.join(parent, f".{os.getpid()}-{threading.get_ident()}-{_TOKEN}{TEMPORARY_SUFFIX}")
    try:
        _check_inside(folder, parent)
        try:
            mtime_ns = _write(temporary, data)
        except FileNotFoundError:
            os.makedirs(parent, exist_ok=True)
            mtime_ns = _write(temporary, data)
        os.replace(temporary, final)
    except BaseException as error:  # a timeout too leaves nothing behind
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        if not isinstance(error, OSError):
            raise
        if error.errno in _ENDS_RUN:
            msg = f"{output}: {error.strerror}. {_RESUME}"
            raise StorageError(msg) from error
        msg = f"{output}: {error.strerror}. Check the name in the output column and the permissions of the folder."
        raise StoreError(msg) from error
    return _stored(output, data, mtime_ns)


def _stored(output: str, data: Sequence[Buffer], mtime_ns: int) -> StoredInstance:
    digest = hashlib.sha256()
    for piece in data:
        digest.update(piece)
    return StoredInstance(output=output, size_bytes=sum(map(len, data)), sha256=digest.hexdigest(), mtime_ns=mtime_ns)


def discard(folder: str, output: str, data: Sequence[Buffer]) -> StoredInstance:
    """Return what `store` would, writing nothing."""
    del folder
    return _stored(output, data, 0)


def recognise(folder: str, output: str, data: Sequence[Buffer]) -> StoredInstance:
    """Return what is stored at `output` where it is `data`, writing nothing.

    Raises
    ------
    StoreError
        Where there is no such file, or it holds other bytes.
    """
    path = Path(folder, output)
    try:
        _check_inside(folder, path.parent)
        same = path.read_bytes() == b"".join(data)
        mtime_ns = path.stat().st_mtime_ns
    except OSError as error:
        msg = f"{output}: {error.strerror}. `bulkdcm convert` will make it."
        raise StoreError(msg) from error
    if not same:
        msg = f"{output}: not what this row gives. `bulkdcm convert` will make it anew."
        raise StoreError(msg)
    return _stored(output, data, mtime_ns)


def _write(path: str, data: Sequence[Buffer]) -> int:
    """Write the file and return its modification time in nanoseconds."""
    descriptor = os.open(path, _FLAGS, 0o666)
    try:
        rest = [memoryview(piece) for piece in data if len(piece)]
        while rest:  # a full disk may take a part and say so only by the count
            count = os.writev(descriptor, rest) if hasattr(os, "writev") else os.write(descriptor, rest[0])
            if not count:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            while rest and count >= len(rest[0]):
                count -= len(rest.pop(0))
            if count:
                rest[0] = rest[0][count:]
        return os.fstat(descriptor).st_mtime_ns
    finally:
        os.close(descriptor)


def _check_inside(folder: str | Path, parent: str | Path) -> None:
    """Refuse a folder inside the output that is a link to somewhere else."""
    try:
        found = os.stat(parent)
    except FileNotFoundError:
        _check_real(str(folder), str(parent))
    else:
        _check_known(str(folder), str(parent), (found.st_dev, found.st_ino))


def _check_real(folder: str, parent: str) -> None:
    real, root = os.path.realpath(parent), os.path.realpath(folder)
    if real != root and not real.startswith(root + os.sep):
        raise OSError(errno.ELOOP, f"its folder is a link that leads outside the output folder, to {real}")


@lru_cache(maxsize=1024)
def _check_known(folder: str, parent: str, identity: tuple[int, int]) -> None:
    """Check a folder once, and again where another has come in its place."""
    del identity
    _check_real(folder, parent)


def sync(folder: Path, outputs: Sequence[str]) -> None:
    """Bring the outputs to the disk.

    Raises
    ------
    StorageError
        Where the disk did not take them.
    """
    try:
        system.sync(folder, outputs)
    except OSError as error:
        msg = f"{folder}: {error.strerror}. {_RESUME}"
        raise StorageError(msg) from error


def remove(folder: Path, outputs: Iterable[str]) -> list[str]:
    """Remove outputs, and the folders they leave empty; return those that are gone."""
    gone = []
    for output in outputs:
        path = folder / output
        try:
            _check_inside(folder, path.parent)
            path.unlink(missing_ok=True)
        except OSError:
            continue
        gone.append(output)
        for parent in path.parents:
            if parent == folder:
                break
            try:
                parent.rmdir()
            except OSError:
                break
    return gone


def remove_temporary(folder: Path) -> int:
    """Remove what a killed run left half-written, by our own names only; return how many files."""
    count = 0
    for where, _, names in os.walk(folder):
        for name in names:
            if _TEMPORARY.fullmatch(name):
                Path(where, name).unlink(missing_ok=True)
                count += 1
    return count
