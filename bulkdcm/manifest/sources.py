"""Where sources are: under the image root, by the names they have on the disk."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from bulkdcm import names
from bulkdcm.attributes.dictionary import SOURCE
from bulkdcm.manifest import packed
from bulkdcm.manifest.paths import all_outside, outside
from bulkdcm.model import Problem
from bulkdcm.names import fold
from bulkdcm.settings import is_url
from bulkdcm.stores import listing
from bulkdcm.uids import normal_form

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping, Sequence

    import numpy.typing as npt

    from bulkdcm.manifest.table import Column, Manifest
    from bulkdcm.stores.catalogue import Catalogue

    States = npt.NDArray[np.int8]

_FETCH = "Fetch the files first, and name them by their paths under the image root"
_INSIDE = "Write it relative to the image root, which --images names"
_MISSING, _THERE = listing.ABSENT, listing.THERE
_OUTSIDE, _UNKNOWN = -1, -2


def locate(
    manifest: Manifest, root: str, *, follow_links: bool, catalogue: Catalogue, through: bool = True
) -> tuple[Manifest, list[Problem]]:
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
    catalogue
        Of the archives under it.
    through
        Whether archives that can only be read in order are read, to know what is in them.
    """
    column = manifest.column("source")
    disk = _Disk(root)
    unusable = all_outside(column) | packed.unusable(column, manifest.files)
    paths = packed.paths_of(column, manifest.files)
    states = disk.states(column, unusable, paths)
    names = list(column.values)
    for code in np.flatnonzero(states == _MISSING).tolist():
        if found := disk.other_form(paths[code]):
            names[code], states[code] = found + names[code].removeprefix(paths[code]), disk.state(found)
    problems = [*_unusable_paths(manifest, column, unusable), *_absent(manifest, column, paths, states, disk)]
    if not follow_links:
        problems += _links(manifest, column, states)
    there = {_THERE, _OUTSIDE} if follow_links else {_THERE}
    members = {code: names[code] for code in packed.members(column, manifest.files) if states[code] in there}
    problems += packed.check(manifest, column, members, catalogue, through=through)
    if names != column.values:
        manifest = replace(manifest, columns={**manifest.columns, "source": column.renamed(names)})
    return manifest, problems


def with_slashes(manifest: Manifest, root: str) -> Manifest:
    """Return the manifest with slashes in sources that Windows wrote with backslashes, and a note of it.

    A file whose own name holds a backslash stays what it is.

    Parameters
    ----------
    manifest
        As read.
    root
        Real path of the image root.
    """
    column = manifest.column(SOURCE)
    if not column.may_hold("\\"):
        return manifest
    names = [
        path.replace("\\", "/") if "\\" in path and not outside(path) and not _is_there(root, path) else path
        for path in column.values
    ]
    changed = [code for code, (name, path) in enumerate(zip(names, column.values, strict=True)) if name != path]
    if not changed:
        return manifest
    note = Problem(
        lines=manifest.lines_of(column.ordinals(changed)),
        column=SOURCE,
        value=column.values[changed[0]],
        rule="a path with backslashes, which is taken for one with slashes",
        remedy="Write slashes, so that every system reads it alike",
        severity="note",
    )
    return manifest.of({**manifest.columns, SOURCE: column.renamed(names)}).noting(note)


def _is_there(root: str, path: str) -> bool:
    return "\0" not in path and os.path.lexists(f"{root}/{path}")


def _unusable_paths(manifest: Manifest, column: Column, unusable: Mapping[int, str]) -> Iterator[Problem]:
    found: dict[str, list[int]] = {}
    for code, rule in unusable.items():
        if "\0" not in column.values[code]:
            found.setdefault(rule, []).append(code)
    for rule, codes in found.items():
        yield Problem(
            lines=manifest.lines_of(column.ordinals(codes)),
            column="source",
            value=column.values[codes[0]],
            rule=rule,
            remedy=_FETCH if is_url(column.values[codes[0]]) else _INSIDE,
        )


def _links(manifest: Manifest, column: Column, states: States) -> Iterator[Problem]:
    outer = np.flatnonzero(states == _OUTSIDE).tolist()
    if outer:
        yield Problem(
            lines=manifest.lines_of(column.ordinals(outer)),
            column="source",
            value=column.values[outer[0]],
            rule="a link that leads outside the image root",
            remedy="Allow such links with --follow-links, or copy the files under the image root, which --images names",
        )


def _absent(manifest: Manifest, column: Column, paths: Sequence[str], states: States, disk: _Disk) -> Iterator[Problem]:
    missing = np.flatnonzero(states == _MISSING).tolist()
    if not missing:
        return
    alike: dict[str, list[int]] = {}
    for code in missing:
        alike.setdefault("case" if disk.lookalike(paths[code]) else "", []).append(code)
    for kind, codes in alike.items():
        first = paths[codes[0]]
        remedy = f"Check the column and --images {disk.root}"
        if kind:
            remedy = f"There is {disk.lookalike(first)!r}: write the name as it is on the disk"
        yield Problem(
            lines=manifest.lines_of(column.ordinals(codes)),
            column="source",
            value=column.values[codes[0]],
            rule="no such file under the image root; its row will fail",
            remedy=remedy,
            severity="warning",
        )


class _Disk:
    """What is under the image root; each folder is looked at once."""

    def __init__(self, root: str) -> None:
        self.root = root
        self._names: dict[str, tuple[dict[str, str], dict[str, str]]] = {}

    def states(self, column: Column, unusable: Container[int], paths: Sequence[str] = ()) -> States:
        """Return for each path of a column what `state` says of it, unknown for those that can't be looked for.

        Other `paths` may be given for its values.
        """
        values = paths or column.values
        if not unusable and not column.may_hold("\0", "\n\n"):
            return self._states(values)
        usable = [code for code, path in enumerate(values) if path and "\0" not in path and code not in unusable]
        states = np.full(len(values), _UNKNOWN, dtype=np.int8)
        states[usable] = self._states([values[code] for code in usable])
        return states

    def state(self, path: str) -> int:
        """Return whether a path is there, missing, or leads outside the root."""
        return int(self._states([path])[0])

    def _states(self, paths: Sequence[str]) -> States:
        states = np.full(len(paths), _MISSING, dtype=np.int8)
        for folder, places in listing.by_folder(paths):
            where = f"{self.root}/{folder}"
            kinds = np.array(listing.kinds(where, [paths[place].rpartition("/")[2] for place in places]), dtype=np.int8)
            for index in np.flatnonzero(kinds == listing.LINK).tolist():
                kinds[index] = self._led_to(f"{self.root}/{paths[places[index]]}")
            if (kinds == listing.THERE).any() and not self._holds(names.real(where)):
                kinds[kinds == listing.THERE] = _OUTSIDE
            states[places] = kinds
        return states

    def _led_to(self, link: str) -> int:
        if not os.path.exists(link):
            return _MISSING
        return _THERE if self._holds(names.real(link)) else _OUTSIDE

    def _holds(self, real: str) -> bool:
        return names.within(self.root, real)

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
