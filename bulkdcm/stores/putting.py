"""Part 10 files in a folder: a temporary name beside the place, then a rename, so no name ever holds half a file."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
import sys
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from bulkdcm import filesystem
from bulkdcm.errors import DISK_FAULTS, StorageError, StoreError
from bulkdcm.stores.base import Stored

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bulkdcm.stores.base import Buffer, Place
    from bulkdcm.stores.folder import Opened

TEMPORARY_SUFFIX, STAGED_SUFFIX = ".bulkdcm-tmp", ".bulkdcm-staged"
# Machines that share a folder may have processes of the same number.
_TOKEN = os.urandom(4).hex()
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_FLAGS |= getattr(os, "O_NOFOLLOW", 0)
_MOST_PIECES, _MOST_BYTES = 1024, 2**30  # IOV_MAX of Linux; less than INT_MAX
RESUME = "Make room or mend the disk, then run the same command again."


def put(folder: Opened, place: Place, data: Sequence[Buffer]) -> Stored:
    """Write a file into the open folder of its place; see `Store.put`.

    Raises
    ------
    OSError
        As the system says it; of a folder that isn't there any more, FileNotFoundError.
    """
    temporary = folder.below(temporary_name())
    try:
        return _named(folder, place, temporary, stored(place.name, data, _write(folder, temporary, data)))
    except BaseException:  # a timeout too leaves nothing behind
        with contextlib.suppress(OSError):
            os.unlink(temporary, dir_fd=folder.descriptor)
        raise


def explained(error: OSError, place: Place) -> StorageError | StoreError:
    """Return what the system says of a file as an error of the run if no row could be stored, else of the row."""
    if error.errno in DISK_FAULTS:
        return StorageError(f"{place.name}: {error.strerror}. {RESUME}")
    return StoreError(
        f"{place.name}: {error.strerror}. Check the name in the output column and the permissions of the folder."
    )


def temporary_name(number: int = 0) -> str:
    """Return a name for a file that isn't complete, which no other process or thread has; with a number, several for one."""
    return f".{os.getpid()}-{number or threading.get_ident()}-{_TOKEN}{TEMPORARY_SUFFIX}"


def _named(folder: Opened, place: Place, temporary: str, stored: Stored) -> Stored:
    """Give a complete file its name, or leave it beside a file that may not go."""
    at = folder.descriptor
    if not place.staged:
        name = folder.below(place.base)
        if place.replaces is not None and place.replaces == _version(name, at):
            filesystem.replace(temporary, name, at)
            return stored
        try:
            filesystem.rename_new(temporary, name, at)
        except FileExistsError:
            if (found := same(folder, place.base, stored)) is not None:
                os.unlink(temporary, dir_fd=at)
                return replace(stored, version=found)
        else:
            return stored
    digest = hashlib.sha256(f"{place.owner}\n{place.name}".encode("utf-8", "surrogateescape")).hexdigest()
    base = f".{digest[:16]}{STAGED_SUFFIX}"
    filesystem.replace(temporary, folder.below(base), at)
    return replace(stored, staged=f"{place.folder}/{base}".lstrip("/"))


def _version(name: str, at: int | None) -> int | None:
    """Return the version of what has a name, which may be a link; None where nothing has it."""
    try:
        return os.stat(name, dir_fd=at, follow_symlinks=False).st_mtime_ns
    except FileNotFoundError:
        return None


def same(folder: Opened, base: str, stored: Stored) -> int | None:
    """Return the modification time in ns of the file of that name if it holds the bytes that were to be stored."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        descriptor = os.open(folder.below(base), flags, dir_fd=folder.descriptor)
    except OSError:
        return None
    with open(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size != stored.size_bytes:
            return None
        return status.st_mtime_ns if hashlib.file_digest(file, "sha256").hexdigest() == stored.sha256 else None


def stored(name: str, data: Sequence[Buffer], mtime_ns: int) -> Stored:
    """Return what is known of a file that holds `data`."""
    digest = hashlib.sha256()
    for piece in data:
        digest.update(piece)
    return Stored(name=name, size_bytes=sum(map(len, data)), sha256=digest.hexdigest(), version=mtime_ns)


def _written(descriptor: int, pieces: list[memoryview]) -> int:
    """Write some of the pieces, and return how many bytes: a system takes so many pieces at once, and macOS so many bytes."""
    if sys.platform == "linux":
        return os.writev(descriptor, pieces[:_MOST_PIECES])
    return os.write(descriptor, pieces[0][:_MOST_BYTES])


def _write(folder: Opened, name: str, data: Sequence[Buffer]) -> int:
    """Write a file of the folder and return its modification time in nanoseconds."""
    descriptor = os.open(name, _FLAGS, 0o666, dir_fd=folder.descriptor)
    try:
        rest = [memoryview(piece) for piece in data if len(piece)]
        while rest:  # a full disk may take a part and say so only by the count
            count = _written(descriptor, rest)
            if not count:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            while rest and count >= len(rest[0]):
                count -= len(rest.pop(0))
            if count:
                rest[0] = rest[0][count:]
        filesystem.written(descriptor)
    finally:
        os.close(descriptor)
    return os.stat(name, dir_fd=folder.descriptor, follow_symlinks=False).st_mtime_ns  # Windows sets it at the close
