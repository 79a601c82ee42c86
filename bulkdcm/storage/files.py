"""Part 10 files in a folder: a temporary name beside the place, then a rename, so no name ever holds half a file."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bulkdcm import system
from bulkdcm.errors import StorageError, StoreError
from bulkdcm.outcome import StoredInstance
from bulkdcm.storage.folder import UNKNOWN, check_inside, opened

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bulkdcm.storage.folder import Identity, Opened

    Buffer = bytes | memoryview

TEMPORARY_SUFFIX, STAGED_SUFFIX = ".bulkdcm-tmp", ".bulkdcm-staged"
# Machines that share a folder may have processes of the same number.
_TOKEN = os.urandom(4).hex()
# The disk's fault, not the row's: they would fail every row, so the run ends and can be resumed.
_ENDS_RUN = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS}
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_FLAGS |= getattr(os, "O_NOFOLLOW", 0)
_RESUME = "Make room or mend the disk, then run the same command again."


@dataclass(frozen=True, slots=True)
class Place:
    """Where a file goes.

    Attributes
    ----------
    folder
        The output folder.
    output
        Relative path with forward slashes.
    identity
        Device and number of the folder that is meant.
    replaces
        Whether what is there may be replaced.
    staged
        Whether to leave the file beside its place.
    ordinal
        Of the row, so that two rows that want one place don't share a file beside it.
    """

    folder: str
    output: str
    identity: Identity = UNKNOWN
    replaces: bool = False
    staged: bool = False
    ordinal: int = 0

    @property
    def parent(self) -> str:
        """Of the file, relative to the output folder; empty where that is it."""
        return os.path.dirname(self.output)


def store(place: Place, data: Sequence[Buffer]) -> StoredInstance:
    """Write a file and return what was stored.

    What is already at the place and may not be replaced is left alone. If it is the very same bytes, as a killed run leaves
    them, it is taken for the output; else the file stays beside it, for the run to say whose the place is.

    Parameters
    ----------
    place
        Where it goes.
    data
        The whole file, in pieces.

    Raises
    ------
    StorageError
        Where the disk is full or failing.
    StoreError
        Where this name can't be written.
    """
    with opened(place.folder, place.identity) as folder:
        return _store(folder, place, data)


def _store(folder: Opened, place: Place, data: Sequence[Buffer]) -> StoredInstance:
    temporary = f".{os.getpid()}-{threading.get_ident()}-{_TOKEN}{TEMPORARY_SUFFIX}"
    temporary = folder.below(f"{place.parent}/{temporary}" if place.parent else temporary)
    try:
        check_inside(place.folder, os.path.join(place.folder, place.parent))
        try:
            mtime_ns = _write(folder, temporary, data)
        except FileNotFoundError:
            _make_below(folder, place.parent)
            mtime_ns = _write(folder, temporary, data)
        return _put(folder, place, temporary, _stored(place.output, data, mtime_ns))
    except BaseException as error:  # a timeout too leaves nothing behind
        with contextlib.suppress(OSError):
            os.unlink(temporary, dir_fd=folder.descriptor)
        if not isinstance(error, OSError):
            raise
        if error.errno in _ENDS_RUN:
            msg = f"{place.output}: {error.strerror}. {_RESUME}"
            raise StorageError(msg) from error
        msg = (
            f"{place.output}: {error.strerror}. Check the name in the output column and the permissions of the folder."
        )
        raise StoreError(msg) from error


def _put(folder: Opened, place: Place, temporary: str, stored: StoredInstance) -> StoredInstance:
    """Give a complete file its name, or leave it beside a file that may not go."""
    at = folder.descriptor
    if not place.staged:
        name = folder.below(place.output)
        if place.replaces:
            os.replace(temporary, name, src_dir_fd=at, dst_dir_fd=at)
            return stored
        try:
            system.rename_new(temporary, name, at)
        except FileExistsError:
            if found := _same(folder, stored):
                os.unlink(temporary, dir_fd=at)
                return replace(stored, mtime_ns=found)
        else:
            return stored
    digest = hashlib.sha256(f"{place.ordinal}\n{place.output}".encode("utf-8", "surrogateescape")).hexdigest()
    staged = f"{place.parent}/.{digest[:16]}{STAGED_SUFFIX}".lstrip("/")
    os.replace(temporary, folder.below(staged), src_dir_fd=at, dst_dir_fd=at)
    return replace(stored, staged=staged)


def _same(folder: Opened, stored: StoredInstance) -> int:
    """Return the modification time in ns of the file at its place if it holds the bytes that were to be stored; else 0."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        descriptor = os.open(folder.below(stored.output), flags, dir_fd=folder.descriptor)
    except OSError:
        return 0
    with open(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size != stored.size_bytes:
            return 0
        return status.st_mtime_ns if hashlib.file_digest(file, "sha256").hexdigest() == stored.sha256 else 0


def _make_below(folder: Opened, inside: str) -> None:
    """Make the folders of an output; never the output folder itself, which someone has removed where it isn't there."""
    names = inside.split("/") if inside else []
    for depth in range(len(names)):
        with contextlib.suppress(FileExistsError):
            os.mkdir(folder.below("/".join(names[: depth + 1])), dir_fd=folder.descriptor)


def _stored(output: str, data: Sequence[Buffer], mtime_ns: int) -> StoredInstance:
    digest = hashlib.sha256()
    for piece in data:
        digest.update(piece)
    return StoredInstance(output=output, size_bytes=sum(map(len, data)), sha256=digest.hexdigest(), mtime_ns=mtime_ns)


def discard(place: Place, data: Sequence[Buffer]) -> StoredInstance:
    """Return what `store` would, writing nothing."""
    return _stored(place.output, data, 0)


def recognise(place: Place, data: Sequence[Buffer]) -> StoredInstance:
    """Return what is stored at a place where it is `data`, writing nothing.

    Raises
    ------
    StoreError
        Where there is no such file, or it holds other bytes.
    """
    with opened(place.folder, place.identity) as folder:
        try:
            check_inside(place.folder, os.path.join(place.folder, place.parent))
            os.stat(folder.below(place.output), dir_fd=folder.descriptor)
        except OSError as error:
            msg = f"{place.output}: {error.strerror}. `bulkdcm convert` will make it."
            raise StoreError(msg) from error
        stored = _stored(place.output, data, 0)
        mtime_ns = _same(folder, stored)
    if not mtime_ns:
        msg = f"{place.output}: not what this row gives. `bulkdcm convert` will make it anew."
        raise StoreError(msg)
    return replace(stored, mtime_ns=mtime_ns)


def settle(folder: Path, staged: str, output: str) -> None:
    """Give a staged file its name, replacing what has it; nothing where that was done before.

    Raises
    ------
    StorageError
        Where the disk does not do it.
    """
    try:
        os.replace(folder / staged, folder / output)
    except FileNotFoundError:
        return
    except OSError as error:
        msg = f"{output}: {error.strerror}. {_RESUME}"
        raise StorageError(msg) from error


def _write(folder: Opened, name: str, data: Sequence[Buffer]) -> int:
    """Write a file of the folder and return its modification time in nanoseconds."""
    descriptor = os.open(name, _FLAGS, 0o666, dir_fd=folder.descriptor)
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
