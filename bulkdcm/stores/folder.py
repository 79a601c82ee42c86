"""The output folder: made, held open, and the same one until the run's end."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from bulkdcm import names
from bulkdcm.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    Identity = tuple[int, int]

UNKNOWN: Identity = (0, 0)
# Windows has none of it: a name is looked up from the top there.
_BY_DESCRIPTOR = {os.open, os.mkdir, os.rename, os.unlink, os.stat} <= os.supports_dir_fd
if sys.platform == "win32":
    FOLDER_FLAGS = os.O_RDONLY
else:
    FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


def prepare(folder: Path) -> None:
    """Make the output folder.

    Raises
    ------
    StorageError
        If it can't be made or written.
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
        If the folder was removed, moved or replaced.
    """
    try:
        identity = identity_of(str(folder))
        descriptor = os.open(folder, os.O_RDONLY) if _BY_DESCRIPTOR else -1
    except OSError as error:
        msg = f"--out {folder}: {error.strerror}. Name a folder that can be read and written."
        raise StorageError(msg) from error
    try:
        yield identity
    except Exception:
        check_place(str(folder), identity)
        raise
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def folds(folder: str, name: str) -> bool:
    """Whether a folder takes names that differ only in case for one, as something in it tells; False if it isn't there."""
    other = name.swapcase()
    try:
        return other != name and os.path.samefile(f"{folder}/{name}", f"{folder}/{other}")
    except OSError:
        return False


def check_place(folder: str, identity: Identity) -> None:
    """Refuse to go on where another folder, or none, is in the output folder's place; (0, 0): not known.

    Raises
    ------
    StorageError
        If that is so.
    """
    if identity == UNKNOWN:
        return
    with contextlib.suppress(OSError):
        if identity_of(folder) == identity:
            return
    raise gone(folder)


def gone(folder: str) -> StorageError:
    """Return the error of a run whose output folder, or one within, isn't where it was."""
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
    identity
        Device and number of the folder.
    descriptor
        Of the folder, for `dir_fd`; None where the system looks names up from the top only.
    """

    path: str
    identity: Identity
    descriptor: int | None = None

    def below(self, relative: str) -> str:
        """Return the name to give to the system, together with the descriptor."""
        return f"{self.path}/{relative}" if self.descriptor is None else relative or "."


@contextlib.contextmanager
def opened(path: str, identity: Identity) -> Iterator[Opened]:
    """Hold the output folder within the block.

    Raises
    ------
    StorageError
        If another folder, or none, is in its place.
    """
    descriptor = None
    try:
        if _BY_DESCRIPTOR:
            descriptor = os.open(path, FOLDER_FLAGS)
        found = identity_of(path if descriptor is None else descriptor)
    except OSError as error:
        raise gone(path) from error
    try:
        if identity not in {UNKNOWN, found}:
            raise gone(path)
        yield Opened(path, found, descriptor)
    finally:
        if descriptor is not None:
            os.close(descriptor)


def identity_of(folder: str | int) -> Identity:
    """Return device and number of a folder, by its path or its descriptor; `OSError` if there is none."""
    status = os.stat(folder)
    return status.st_dev, status.st_ino


def check_inside(folder: str | Path, parent: str | Path) -> None:
    """Refuse a folder inside the output that is a link to somewhere else.

    Raises
    ------
    OSError
        If it is.
    """
    try:
        found = identity_of(str(parent))
    except FileNotFoundError:
        _check_real(str(folder), str(parent))
    else:
        _check_known(str(folder), str(parent), found)


def _check_real(folder: str, parent: str) -> None:
    real = names.real(parent)
    if not names.within(names.real(folder), real):
        raise OSError(errno.ELOOP, f"its folder is a link that leads outside the output folder, to {real}")


@lru_cache(maxsize=1024)
def _check_known(folder: str, parent: str, identity: tuple[int, int]) -> None:
    """Check a folder once, and again where another has come in its place."""
    del identity
    _check_real(folder, parent)
