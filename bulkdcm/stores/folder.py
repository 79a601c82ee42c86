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
_MOST_HELD = 64
# Windows has none of it: a name is looked up from the top there.
_BY_DESCRIPTOR = {os.open, os.mkdir, os.rename, os.unlink, os.stat} <= os.supports_dir_fd
if sys.platform == "win32":
    _FOLDER = os.O_RDONLY
else:
    _FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


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
        identity = _identity(str(folder))
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
    try:
        return os.path.samefile(f"{folder}/{name}", f"{folder}/{name.swapcase()}")
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
        if _identity(folder) == identity:
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
            descriptor = os.open(path, _FOLDER)
        found = _identity(path if descriptor is None else descriptor)
    except OSError as error:
        raise _gone(path) from error
    try:
        if identity not in {UNKNOWN, found}:
            raise _gone(path)
        yield Opened(path, found, descriptor)
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _identity(folder: str | int) -> Identity:
    status = os.stat(folder)
    return status.st_dev, status.st_ino


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
        self._filled: set[str] = set()
        self._lost = ""
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
        if known is not None:
            self._filled.add(name)  # by whoever asked before
        else:
            if len(self._folders) >= _MOST_HELD:
                self.let_go()
            known = self._folders[name] = self._opened(name)
        return known

    def _opened(self, name: str) -> Opened:
        path = f"{self._path}/{name}"
        check_inside(self._path, path)
        try:
            found = self._found(name, path)
        except FileNotFoundError:
            self._make(name)
            found = self._found(name, path)
        try:  # nothing can have come between that isn't there still, or is noticed at the end
            check_inside(self._path, path)
        except OSError:
            if found.descriptor is not None:
                os.close(found.descriptor)
            raise
        return found

    def _found(self, name: str, path: str) -> Opened:
        if self._root.descriptor is None:
            return Opened(path, _identity(path))
        descriptor = os.open(name, _FOLDER, dir_fd=self._root.descriptor)
        return Opened(path, _identity(descriptor), descriptor)

    def _make(self, name: str) -> None:
        """Make a folder and those above it; never the root itself, which someone has removed if it isn't there."""
        parts = name.split("/")
        for depth in range(len(parts)):
            with contextlib.suppress(FileExistsError):
                os.mkdir(self._root.below("/".join(parts[: depth + 1])), dir_fd=self._root.descriptor)

    def lost(self, name: str) -> None:
        """Let go of a folder that isn't there any more, so that it is made again.

        An open folder can only have been removed; one that is known by its path may be elsewhere, with what was put into it.
        """
        if name in self._filled and self._root.descriptor is None:
            self._lost = f"{self._path}/{name}"
        self._forget(name)

    def _forget(self, name: str) -> None:
        self._filled.discard(name)
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
                same = _identity(held.path) == held.identity
            except OSError:
                same = False
            missing = missing or ("" if same else held.path)
            self._forget(name)
        if missing := missing or self._lost:
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
            if self._root.descriptor is None:  # what came to its place meanwhile has got the files
                check_place(self._path, self._root.identity)


def check_inside(folder: str | Path, parent: str | Path) -> None:
    """Refuse a folder inside the output that is a link to somewhere else.

    Raises
    ------
    OSError
        If it is.
    """
    try:
        found = _identity(str(parent))
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
