"""A folder and those within it, held open while a chunk's files go into them."""

from __future__ import annotations

import contextlib
import os

from bulkdcm.stores import folder

_MOST_HELD = 64


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

    def __init__(self, path: str, identity: folder.Identity) -> None:
        self._path = path
        self._folders: dict[str, folder.Opened] = {}
        self._filled: set[str] = set()
        self._lost = ""
        self._open = contextlib.ExitStack()
        self._root = self._open.enter_context(folder.opened(path, identity))

    def inside(self, name: str) -> folder.Opened:
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

    def _opened(self, name: str) -> folder.Opened:
        path = f"{self._path}/{name}"
        folder.check_inside(self._path, path)
        try:
            found = self._found(name, path)
        except FileNotFoundError:
            self._make(name)
            found = self._found(name, path)
        try:  # nothing can have come between that isn't there still, or is noticed at the end
            folder.check_inside(self._path, path)
        except OSError:
            if found.descriptor is not None:
                os.close(found.descriptor)
            raise
        return found

    def _found(self, name: str, path: str) -> folder.Opened:
        if self._root.descriptor is None:
            return folder.Opened(path, folder.identity_of(path))
        descriptor = os.open(name, folder.FOLDER_FLAGS, dir_fd=self._root.descriptor)
        return folder.Opened(path, folder.identity_of(descriptor), descriptor)

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
                same = folder.identity_of(held.path) == held.identity
            except OSError:
                same = False
            missing = missing or ("" if same else held.path)
            self._forget(name)
        if missing := missing or self._lost:
            raise folder.gone(missing)

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
                folder.check_place(self._path, self._root.identity)
