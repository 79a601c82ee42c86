"""Part 10 files in a folder: a temporary name beside the place, then `os.replace`, so no name ever holds half a file."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
import threading
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from bulkdcm import system
from bulkdcm.errors import StorageError, StoreError
from bulkdcm.outcome import StoredInstance

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    Buffer = bytes | memoryview
    Identity = tuple[int, int]

TEMPORARY_SUFFIX, STAGED_SUFFIX = ".bulkdcm-tmp", ".bulkdcm-staged"
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


@contextlib.contextmanager
def in_place(folder: Path) -> Iterator[Identity]:
    """Within the block, hold the output folder open and tell which it is; afterwards say so where it has gone.

    While it is open, no other folder can get its number. An error in the block is then a consequence.

    Raises
    ------
    StorageError
        Where the folder was removed, moved or replaced.
    """
    try:
        found = os.stat(folder)
        descriptor = os.open(folder, os.O_RDONLY) if os.name == "posix" else -1
    except OSError as error:
        msg = f"--out {folder}: {error.strerror}. Name a folder that can be read and written."
        raise StorageError(msg) from error
    identity = (found.st_dev, found.st_ino)
    try:
        yield identity
    except Exception:
        check_place(str(folder), identity)
        raise
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def check_place(folder: str, identity: Identity) -> None:
    """Refuse to go on where another folder, or none, is in the output folder's place; (0, 0): not known.

    Raises
    ------
    StorageError
        Where that is so.
    """
    if identity == (0, 0):
        return
    with contextlib.suppress(OSError):
        found = os.stat(folder)
        if (found.st_dev, found.st_ino) == identity:
            return
    msg = (
        f"--out {folder}: the folder was removed, moved or replaced during the run. "
        "Put it back where it was, or decide to start over, then run the same command again."
    )
    raise StorageError(msg)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a file goes.

    Attributes
    ----------
    folder
        The output folder.
    output
        Relative path with forward slashes.
    replaces
        Whether what is there may be replaced.
    staged
        Whether to leave the file beside its place.
    ordinal
        Of the row, so that two rows that want one place don't share a file beside it.
    """

    folder: str
    output: str
    replaces: bool = False
    staged: bool = False
    ordinal: int = 0

    @property
    def path(self) -> str:
        """Of the file."""
        return os.path.join(self.folder, self.output)


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
    parent = os.path.dirname(place.path)
    temporary = os.path.join(parent, f".{os.getpid()}-{threading.get_ident()}-{_TOKEN}{TEMPORARY_SUFFIX}")
    try:
        check_inside(place.folder, parent)
        try:
            mtime_ns = _write(temporary, data)
        except FileNotFoundError:
            _make_below(place.folder, os.path.dirname(place.output))
            mtime_ns = _write(temporary, data)
        stored = _stored(place.output, data, mtime_ns)
        return _put(place, temporary, stored)
    except BaseException as error:  # a timeout too leaves nothing behind
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        if not isinstance(error, OSError):
            raise
        if error.errno in _ENDS_RUN:
            msg = f"{place.output}: {error.strerror}. {_RESUME}"
            raise StorageError(msg) from error
        msg = (
            f"{place.output}: {error.strerror}. Check the name in the output column and the permissions of the folder."
        )
        raise StoreError(msg) from error


def _put(place: Place, temporary: str, stored: StoredInstance) -> StoredInstance:
    """Give a complete file its name, or leave it beside a file that may not go."""
    if not place.staged:
        if place.replaces:
            os.replace(temporary, place.path)
            return stored
        try:
            system.rename_new(temporary, place.path)
        except FileExistsError:
            if found := _same(place.path, stored):
                os.unlink(temporary)
                return replace(stored, mtime_ns=found)
        else:
            return stored
    name = hashlib.sha256(f"{place.ordinal}\n{place.output}".encode("utf-8", "surrogateescape")).hexdigest()[:16]
    staged = f"{place.output.rpartition('/')[0]}/.{name}{STAGED_SUFFIX}".lstrip("/")
    os.replace(temporary, os.path.join(place.folder, staged))
    return replace(stored, staged=staged)


def _same(path: str, stored: StoredInstance) -> int:
    """Return the modification time in ns of the file at `path` if it holds the bytes that were to be stored there; else 0."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError:
        return 0
    with open(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size != stored.size_bytes:
            return 0
        return status.st_mtime_ns if hashlib.file_digest(file, "sha256").hexdigest() == stored.sha256 else 0


def _make_below(folder: str, inside: str) -> None:
    """Make the folders of an output; never the output folder itself, which someone has removed where it isn't there."""
    path = folder
    for name in inside.split("/") if inside else ():
        path = os.path.join(path, name)
        with contextlib.suppress(FileExistsError):
            os.mkdir(path)


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
    try:
        check_inside(place.folder, os.path.dirname(place.path))
        os.stat(place.path)
    except OSError as error:
        msg = f"{place.output}: {error.strerror}. `bulkdcm convert` will make it."
        raise StoreError(msg) from error
    stored = _stored(place.output, data, 0)
    mtime_ns = _same(place.path, stored)
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


def check_inside(folder: str | Path, parent: str | Path) -> None:
    """Refuse a folder inside the output that is a link to somewhere else.

    Raises
    ------
    OSError
        Where it is.
    """
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
