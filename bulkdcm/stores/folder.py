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
_MOST_HELD = 64
# Windows has none of it: a name is looked up from the top there.
_BY_DESCRIPTOR = {os.open, os.mkdir, os.rename, os.unlink, os.stat} <= os.supports_dir_fd


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
        If that is so.
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
        If another folder, or none, is in its place.
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


class Held:
    """A folder and those within it, held open while files go into them.

    Whatever comes to their places meanwhile, files go into the very folders that were looked at; `let_go` says so if another
    is in such a place then, so that nothing in it is called done.

    Parameters
    ----------
    path
        Of the folder.
    identity
        Its device and number; (0, 0) where that isn't known.

    Raises
    ------
    StorageError
        If another folder, or none, is in its place.
    """

    def __init__(self, path: str, identity: Identity) -> None:
        self._path = path
        self._folders: dict[str, Opened] = {}
        self._open = contextlib.ExitStack()
        self._root = self._open.enter_context(opened(path, identity))

    def inside(self, name: str) -> Opened:
        """Return the folder of that name, made where it isn't there; the root for an empty name.

        Raises
        ------
        OSError
            If it can't be, or is a link that leads outside.
        StorageError
            As in `let_go`.
        """
        if not name:
            return self._root
        known = self._folders.get(name)
        if known is None or known.descriptor is None:
            if len(self._folders) >= _MOST_HELD:
                self.let_go()
            known = self._folders[name] = self._opened(name)
        return known

    def _opened(self, name: str) -> Opened:
        path = os.path.join(self._path, name)
        check_inside(self._path, path)
        if self._root.descriptor is None:
            os.makedirs(path, exist_ok=True)
            return Opened(path, None)
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
        try:
            descriptor = os.open(name, flags, dir_fd=self._root.descriptor)
        except FileNotFoundError:
            self._make(name, self._root.descriptor)
            descriptor = os.open(name, flags, dir_fd=self._root.descriptor)
        try:
            check_inside(
                self._path, path
            )  # nothing can have come between that isn't there still, or is noticed at the end
        except OSError:
            os.close(descriptor)
            raise
        return Opened(path, descriptor)

    def _make(self, name: str, root: int) -> None:
        """Make a folder and those above it; never the root itself, which someone has removed where it isn't there."""
        parts = name.split("/")
        for depth in range(len(parts)):
            with contextlib.suppress(FileExistsError):
                os.mkdir("/".join(parts[: depth + 1]), dir_fd=root)

    def forget(self, name: str) -> None:
        """Let go of a folder that was removed."""
        gone = self._folders.pop(name, None)
        if gone is not None and gone.descriptor is not None:
            os.close(gone.descriptor)

    def let_go(self) -> None:
        """Close the folders within, and see that they are where they were.

        Raises
        ------
        StorageError
            If one was removed, moved or replaced.
        """
        missing = ""
        for name in list(self._folders):
            held = self._folders[name]
            try:
                there = os.stat(held.path)
                same = held.descriptor is None or os.path.samestat(there, os.fstat(held.descriptor))
            except OSError:
                same = False
            missing = missing or ("" if same else held.path)
            self.forget(name)
        if missing:
            raise _gone(missing)

    def close(self) -> None:
        """Let go of all.

        Raises
        ------
        StorageError
            As in `let_go`.
        """
        with self._open:
            self.let_go()


def check_inside(folder: str | Path, parent: str | Path) -> None:
    """Refuse a folder inside the output that is a link to somewhere else.

    Raises
    ------
    OSError
        If it is.
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
