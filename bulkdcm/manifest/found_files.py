"""Files whose ending a dataset's CSV doesn't say."""

from __future__ import annotations

import os
import posixpath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class FoundFiles:
    """Each folder listed once.

    Parameters
    ----------
    root
        The image root.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._folders: dict[str, dict[str, list[str]]] = {}

    def find(self, pattern: str) -> tuple[str, str]:
        """Return the one file that ``a/b.*`` names, and what is wrong where there is none, or more than one."""
        folder, stem = posixpath.split(pattern.removesuffix(".*"))
        names = self._names(folder).get(stem, [])
        if len(names) == 1:
            return posixpath.join(folder, names[0]), ""
        if names:
            return pattern, f"{len(names)} files are called so: {', '.join(sorted(names)[:3])}"
        return pattern, f"no file is called so under {self._root}"

    def _names(self, folder: str) -> dict[str, list[str]]:
        if folder not in self._folders:
            found: dict[str, list[str]] = {}
            try:
                with os.scandir(self._root / folder) as entries:
                    for entry in entries:
                        found.setdefault(posixpath.splitext(entry.name)[0], []).append(entry.name)
            except (OSError, ValueError):  # a cell may hold a NUL
                pass
            self._folders[folder] = found
        return self._folders[folder]
