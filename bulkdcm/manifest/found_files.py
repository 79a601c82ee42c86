"""Files of which a dataset's table says the name alone: without its ending, or without the folder it is in."""

from __future__ import annotations

import os
import posixpath
from typing import TYPE_CHECKING

from bulkdcm import names
from bulkdcm.ledger.files import FOLDER
from bulkdcm.printable import some
from bulkdcm.uids import normal_form

if TYPE_CHECKING:
    from pathlib import Path

    Names = dict[str, list[str]]

ANYWHERE, ANY_ENDING = "**/", ".*"
_OUTPUT = ".dcm"
_SHOWN = 3


def looked_up(text: str) -> bool:
    """Return whether a path is one to be looked for: in any folder (``**/``), or with any ending (``.*``)."""
    return text.endswith(ANY_ENDING) or text.startswith(ANYWHERE) or f"/{ANYWHERE}" in text


class FoundFiles:
    """What is under an image root; each folder is listed once.

    Parameters
    ----------
    root
        The image root.
    """

    def __init__(self, root: Path) -> None:
        self._root = names.slashed(str(root))
        self._folders: dict[str, Names] = {}
        self._walked: dict[str, list[str]] = {}
        self._trees: dict[tuple[str, int], Names] = {}
        self._outputs: dict[str, bool] = {}

    def find(self, pattern: str) -> tuple[str, ...]:
        """Return the files that ``a/b.png``, ``a/b.*``, ``a/**/b.png`` or ``**/b.*`` names, relative to the root."""
        top, anywhere, rest = _divided(pattern)
        if not anywhere:
            folder, name = posixpath.split(pattern)
            return tuple(posixpath.join(folder, found) for found in _named(self._listed(folder), name))
        # By as much of the path as is asked for: thousands of files of a dataset may be called image1.png.
        place = (top, rest.count("/"))
        if place not in self._trees:
            self._trees[place] = _indexed(self._below(top), folders=place[1])
        return tuple(_named(self._trees[place], rest))

    def _listed(self, folder: str) -> Names:
        """Return the names in a folder: each by itself, and by what stands before its ending."""
        if folder not in self._folders:
            try:
                with os.scandir(f"{self._root}/{folder}") as entries:
                    files = sorted(entry.name for entry in entries)
            except (OSError, ValueError):  # a cell may hold a NUL
                files = []
            if self._holds_outputs(folder):
                files = [name for name in files if not name.endswith(_OUTPUT)]
            self._folders[folder] = _indexed(files)
        return self._folders[folder]

    def _below(self, top: str) -> list[str]:
        """Return the files in a folder and all below it, links and the folders of runs aside."""
        if top not in self._walked:
            paths: list[str] = []
            start = f"{self._root}/{top}".rstrip("/")
            for found, folders, files in os.walk(start):
                where = names.slashed(found)
                if where != start and FOLDER in folders:
                    folders.clear()
                    continue
                folders[:] = sorted(set(folders) - {FOLDER})
                inside = posixpath.relpath(where, self._root) if where != self._root else ""
                outputs = self._holds_outputs(inside)
                paths += [posixpath.join(inside, name) for name in files if not (outputs and name.endswith(_OUTPUT))]
            self._walked[top] = sorted(paths)
        return self._walked[top]

    def _holds_outputs(self, folder: str) -> bool:
        """Return whether a run has its outputs in a folder, or in one above it."""
        if folder not in self._outputs:
            above = bool(folder) and self._holds_outputs(posixpath.dirname(folder.rstrip("/")))
            self._outputs[folder] = above or os.path.lexists(f"{self._root}/{folder}/{FOLDER}")
        return self._outputs[folder]


def shown(paths: tuple[str, ...]) -> str:
    """Return some of the paths that one name has found."""
    return some(paths, _SHOWN, repr)


def _divided(pattern: str) -> tuple[str, str, str]:
    """Return the folder to look in, the mark for any folder below it if there is one, and the rest."""
    if pattern.startswith(ANYWHERE):
        return "", ANYWHERE, pattern.removeprefix(ANYWHERE)
    top, anywhere, rest = pattern.partition(f"/{ANYWHERE}")
    return (top, anywhere, rest) if anywhere else ("", "", pattern)


def _indexed(paths: list[str], folders: int = 0) -> Names:
    """Return paths by their names with so many folders above, and by the same without the ending."""
    found: Names = {}
    for path in paths:
        name = normal_form("/".join(path.rsplit("/", folders + 1)[-folders - 1 :]))
        found.setdefault(name, []).append(path)
        found.setdefault(posixpath.splitext(name)[0] + ANY_ENDING, []).append(path)
    return found


def _named(names: Names, name: str) -> list[str]:
    return names.get(normal_form(name), [])
