"""Where sources are: under the image root, by the names they have on the disk."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from typing import TYPE_CHECKING

from bulkdcm.manifest.paths import fold, outside
from bulkdcm.manifest.table import Column
from bulkdcm.model import Problem
from bulkdcm.settings import is_url
from bulkdcm.uids import normal_form

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bulkdcm.manifest.table import Manifest

_FETCH = "Fetch the files first, and name them by their paths under the image root"
_INSIDE = "Write it relative to the image root, which --images names"
_THERE, _OUTSIDE, _MISSING = "there", "outside", "missing"


def locate(manifest: Manifest, root: str, *, follow_links: bool) -> tuple[Manifest, list[Problem]]:
    """Return the manifest with each source by the name it has on the disk, and the problems of source paths.

    A name that is there in another Unicode form is the same name: which form a file has depends on the system that made it.

    Parameters
    ----------
    manifest
        Resolved.
    root
        Real path of the image root.
    follow_links
        Whether a source may be a link that leads outside the root.
    """
    column = manifest.column("source")
    disk = _Disk(root)
    states = {code: disk.state(path) for code, path in enumerate(column.values) if path and not _unusable(path)}
    names = list(column.values)
    for code, state in states.items():
        if state == _MISSING and (found := disk.other_form(names[code])):
            names[code], states[code] = found, disk.state(found)
    problems = [*_unusable_paths(manifest, column), *_absent(manifest, column, states, disk)]
    if not follow_links:
        problems += _links(manifest, column, states)
    moved = {**manifest.columns, "source": Column(column.codes, names)}
    return replace(manifest, columns=moved), problems


def _unusable(path: str) -> bool:
    return "\0" in path or bool(outside(path))


def _unusable_paths(manifest: Manifest, column: Column) -> Iterator[Problem]:
    found: dict[str, list[int]] = {}
    for code, path in enumerate(column.values):
        if path and "\0" not in path and (rule := outside(path)):
            found.setdefault(rule, []).append(code)
    for rule, codes in found.items():
        yield Problem(
            lines=manifest.lines_of(column.ordinals(codes)),
            column="source",
            value=column.values[codes[0]],
            rule=rule,
            remedy=_FETCH if is_url(column.values[codes[0]]) else _INSIDE,
        )


def _links(manifest: Manifest, column: Column, states: dict[int, str]) -> Iterator[Problem]:
    outer = [code for code, state in states.items() if state == _OUTSIDE]
    if outer:
        yield Problem(
            lines=manifest.lines_of(column.ordinals(outer)),
            column="source",
            value=column.values[outer[0]],
            rule="a link that leads outside the image root",
            remedy="Allow such links with --follow-links, or copy the files under the image root, which --images names",
        )


def _absent(manifest: Manifest, column: Column, states: dict[int, str], disk: _Disk) -> Iterator[Problem]:
    missing = [code for code, state in states.items() if state == _MISSING]
    if not missing:
        return
    alike: dict[str, list[int]] = {}
    for code in missing:
        alike.setdefault("case" if disk.lookalike(column.values[code]) else "", []).append(code)
    for kind, codes in alike.items():
        first = column.values[codes[0]]
        remedy = f"Check the column and --images {disk.root}"
        if kind:
            remedy = f"There is {disk.lookalike(first)!r}: write the name as it is on the disk"
        yield Problem(
            lines=manifest.lines_of(column.ordinals(codes)),
            column="source",
            value=first,
            rule="no such file under the image root; its row will fail",
            remedy=remedy,
            severity="warning",
        )


class _Disk:
    """What is under the image root; each folder is looked at once."""

    def __init__(self, root: str) -> None:
        self.root = root
        self._inside: dict[str, bool] = {}
        self._names: dict[str, tuple[dict[str, str], dict[str, str]]] = {}

    def state(self, path: str) -> str:
        """Return whether a path is there, missing, or leads outside the root."""
        full = f"{self.root}/{path}"  # a million times: os.path.join is slower, Path ten times
        try:
            is_link = stat.S_ISLNK(os.lstat(full).st_mode)
        except (OSError, ValueError):
            return _MISSING
        if is_link and not os.path.exists(full):  # as above
            return _MISSING
        folder = path.rpartition("/")[0]
        if folder not in self._inside:
            self._inside[folder] = self._holds(os.path.realpath(f"{self.root}/{folder}"))
        inside = self._inside[folder] and (not is_link or self._holds(os.path.realpath(full)))
        return _THERE if inside else _OUTSIDE

    def _holds(self, real: str) -> bool:
        return real == self.root or real.startswith(self.root.rstrip(os.sep) + os.sep)

    def other_form(self, path: str) -> str:
        """Return the path of a file whose name is the same text in another Unicode form; empty if there is none."""
        return "" if path.isascii() else self._walk(path.split("/"), 0)

    def lookalike(self, path: str) -> str:
        """Return the path of a file whose name differs in case, or in the form of its letters; empty if there is none."""
        return self._walk(path.split("/"), 1)

    def _walk(self, parts: Sequence[str], which: int) -> str:
        found = ""
        for part in parts:
            known = self._listed(found)[which]
            name = known.get(fold(part) if which else normal_form(part))
            if name is None:
                return ""
            found = f"{found}/{name}".lstrip("/")
        return found

    def _listed(self, folder: str) -> tuple[dict[str, str], dict[str, str]]:
        if folder not in self._names:
            try:
                names = sorted(os.listdir(f"{self.root}/{folder}"))
            except OSError:
                names = []
            self._names[folder] = ({normal_form(name): name for name in names}, {fold(name): name for name in names})
        return self._names[folder]
