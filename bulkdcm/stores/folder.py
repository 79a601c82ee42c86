"""The output folder: made, held open, and the same one until the run's end."""

from __future__ import annotations

import contextlib
import errno
import os
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from bulkdcm.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    Identity = tuple[int, int]

UNKNOWN: Identity = (0, 0)
# Windows has none of it: a name is looked up from the top there.
_BY_DESCRIPTOR = {os.open, os.mkdir, os.rename, os.unlink, os.stat} <= os.supports_dir_fd


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
        descriptor = os.open(folder, os.O_RDONLY) if _BY_DESCRIPTOR else -1
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
    if identity == UNKNOWN:
        return
    with contextlib.suppress(OSError):
        found = os.stat(folder)
        if (found.st_dev, found.st_ino) == identity:
            return
    raise _gone(folder)


def _gone(folder: str) -> StorageError:
    return StorageError(
        f"--out {folder}: the folder was removed, moved or replaced during the run. "
        "Put it back where it was, or decide to start over, then run the same command again."
    )


@dataclass(frozen=True, slots=True)
class Opened:
    """The output folder, held: a name below it leads into this very folder, whatever comes to its place.

    Attributes
    ----------
    path
        Of the folder.
    descriptor
        Of the folder, for `dir_fd`; None where the system looks names up from the top only.
    """

    path: str
    descriptor: int | None

    def below(self, relative: str) -> str:
        """Return the name to give to the system, together with the descriptor."""
        return os.path.join(self.path, relative) if self.descriptor is None else relative or "."


@contextlib.contextmanager
def opened(path: str, identity: Identity) -> Iterator[Opened]:
    """Hold the output folder within the block.

    Raises
    ------
    StorageError
        Where another folder, or none, is in its place.
    """
    if not _BY_DESCRIPTOR:
        check_place(path, identity)
        yield Opened(path, None)
        return
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise _gone(path) from error
    try:
        found = os.fstat(descriptor)
        if identity not in {UNKNOWN, (found.st_dev, found.st_ino)}:
            raise _gone(path)
        yield Opened(path, descriptor)
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
