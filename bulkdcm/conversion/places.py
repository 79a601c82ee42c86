"""What lies where outputs will go: nothing, the row's own earlier output, or a file that isn't ours and stays.

Files are compared by the real path of their folder, in the form in which some file systems take two names for one, and
by what they are on the disk, so that links and other spellings are found.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from bulkdcm import names
from bulkdcm.conversion.collisions import Collisions, Owner
from bulkdcm.model import Replaceable
from bulkdcm.names import fold
from bulkdcm.stores import archives, listing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import numpy.typing as npt

    from bulkdcm.manifest import Column, Manifest
    from bulkdcm.model import Problem
    from bulkdcm.stores import Store

_NONE = (-1, -1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the ledger knows of files in the output folder.

    Attributes
    ----------
    outputs
        For each row of the manifest, its output of an earlier run; empty where there is none.
    ours
        Names that a run which didn't end may have written, and outputs that are to go.
    orphaned
        Outputs of rows that are no longer in the manifest.
    """

    outputs: Sequence[str]
    ours: set[str] = field(default_factory=set)
    orphaned: set[str] = field(default_factory=set)


class Places:
    """The output folder, before a run writes to it.

    Parameters
    ----------
    manifest
        Resolved.
    outputs
        The output folder.
    images
        The real path of the image root.
    named
        Files that the run reads or keeps beside the sources: what each is, by its path.
    reports
        Names of the files that the run writes into the output folder beside the outputs.
    """

    def __init__(
        self, manifest: Manifest, outputs: Store, images: str, named: Mapping[str, str], reports: Iterable[str]
    ) -> None:
        self._manifest = manifest
        self._reports = tuple(reports)
        self._out = names.real(outputs.local_path).rstrip("/")  # which is a drive's root, too
        self.one_name = names.one_name(folds=outputs.folds)
        self._images = images.rstrip("/")
        self._named = named
        self._folders: dict[str, str] = {}

    def check(
        self, todo: Iterable[int], known: Known, *, overwrite: bool, prune: bool
    ) -> tuple[list[Problem], dict[int, Replaceable]]:
        """Return the problems, and what rows may replace.

        Parameters
        ----------
        todo
            Ordinals of the rows that will run.
        known
            From the ledger.
        overwrite
            Whether files that nobody knows may be replaced.
        prune
            Whether outputs of rows that are gone may be.
        """
        outputs = self._manifest.column("output")
        found = Collisions(self._manifest)
        judge = _Judge(self, known, overwrite=overwrite)
        for name in self._reports:
            if what := self.names.get(fold(f"{self._out}/{name}")):
                found.reports.append(f"{what} would be replaced by the run's own {name}")
        taken, filled = self._taken_and_filled(outputs)
        for ordinal in outputs.ordinals(list(taken)).tolist():
            found.add(Owner.READ, taken[int(outputs.codes[ordinal])], ordinal)
        takes: dict[int, Replaceable] = {}
        ordinals = np.array(todo, dtype=np.intp)
        for ordinal in ordinals[filled[outputs.codes[ordinals]]].tolist():
            output = outputs[ordinal] or known.outputs[ordinal]  # the latter if only the UIDs will tell the name
            status = None if found.has(ordinal) else self.status(output)
            if status is None:
                continue
            kind, what = judge.verdict(output, status, known.outputs[ordinal])
            if kind in {Owner.OURS, Owner.ORPHANED}:
                takes[ordinal] = Replaceable(output, status.st_mtime_ns)
            if kind in {Owner.READ, Owner.FOREIGN} or (kind == Owner.ORPHANED and not prune):
                found.add(kind, what, ordinal)
        return list(found.problems(overwrite=overwrite)), takes

    def _taken_and_filled(self, outputs: Column) -> tuple[dict[int, str], npt.NDArray[np.bool_]]:
        """Return which outputs have the name of what is read, by their codes, and for each whether it may be there."""
        holding = {name.rpartition("/")[0] for name in self.names}
        taken: dict[int, str] = {}
        filled = np.zeros(len(outputs.values), dtype=bool)
        for folder, codes in listing.by_folder(outputs.values):
            real = self._folder(f"{folder}/")
            filled[codes] = bool(real)  # of names that only the UIDs will tell, the output folder itself
            if fold(self.real(f"{folder}/").rstrip("/")) in holding:
                names = {code: self.names.get(fold(self.real(outputs.values[code]))) for code in codes}
                taken |= {code: what for code, what in names.items() if what}
        return taken, filled

    def is_empty(self, output: str) -> bool:
        """Whether nothing has the name of an output."""
        return not os.path.lexists(f"{self._out}/{output}")

    def may_replace(self, output: str) -> bool:
        """Whether a file that nobody knows is one that ``--overwrite`` lets go: a file, and none that the run reads."""
        self._folders.clear()  # the run has made some since
        status = self.status(output)
        if status is None or fold(self.real(output)) in self.names:
            return status is None
        return _Judge(self, Known(outputs=()), overwrite=True).verdict(output, status, "")[0] == Owner.OURS

    def status(self, output: str) -> os.stat_result | None:
        """Return what is known of the file at an output; None where there is none."""
        if not output or self._folder(output) == "":
            return None
        try:
            return os.lstat(f"{self._out}/{output}")
        except (OSError, ValueError):
            return None

    def _folder(self, output: str) -> str:
        """Return the real path of an output's folder; empty where it isn't there, so that nothing can be in it."""
        folder = output.rpartition("/")[0]
        if folder not in self._folders:
            real = names.real(f"{self._out}/{folder}")
            self._folders[folder] = real if os.path.isdir(real) else ""
        return self._folders[folder]

    def real(self, output: str) -> str:
        """Return the path of an output with its folder's real path."""
        folder, _, name = output.rpartition("/")
        return f"{self._folder(output) or f'{self._out}/{folder}'.rstrip('/')}/{name}"

    @cached_property
    def names(self) -> dict[str, str]:
        """What is read from within the output folder, by folded real path."""
        above = fold(self._out) + "/"
        found = {}
        for path, what in self._named.items():
            for name in (names.real(path), f"{names.real(os.path.dirname(path))}/{os.path.basename(path)}"):
                if fold(name).startswith(above):
                    found[fold(name)] = what
        images = fold(self._images) + "/"
        if images.startswith(above) or above.startswith(images):
            found |= {fold(path): what for path, what in self._sources(above) if fold(path).startswith(above)}
        return found

    def _sources(self, above: str = "") -> Iterator[tuple[str, str]]:
        """Yield the real path of each source and what it is, and so of what a link leads to; the last row's come first.

        With `above`, only those whose folder, folded, begins so, and all links.
        """
        column, rows = self._manifest.column("source"), np.arange(len(self._manifest))
        first, last = (np.full(len(column.values), -1) for _ in range(2))
        first[column.codes[::-1]], last[column.codes] = rows[::-1], rows
        codes = np.argsort(last)[::-1]
        codes = codes[last[codes] >= 0]  # a column may keep values that no row has
        paths = [archives.file_of(column.values[code], self._manifest.files) for code in codes.tolist()]
        wanted: dict[int, tuple[str, int]] = {}
        for folder, places in listing.by_folder(paths):
            real = names.real(f"{self._images}/{folder}")
            kinds = listing.kinds(real, [paths[place].rpartition("/")[2] for place in places])
            every = fold(f"{real}/").startswith(above)
            wanted |= {
                place: (real, kind) for place, kind in zip(places, kinds, strict=True) if every or kind == listing.LINK
            }
        for place, (real, kind) in sorted(wanted.items()):
            path = f"{real}/{paths[place].rpartition('/')[2]}"
            what = f"the source on line {self._manifest.lines[first[codes[place]]]}"
            yield path, what
            if kind == listing.LINK:
                yield names.real(path), what

    @cached_property
    def inodes(self) -> dict[tuple[int, int], str]:
        """What the run reads, by device and inode."""
        found: dict[tuple[int, int], str] = {}
        for path, what in (*self._sources(), *self._named.items()):
            if (identity := identity_of(path)) != _NONE:
                found.setdefault(identity, what)
        return found


def identity_of(path: str) -> tuple[int, int]:
    """Return device and inode of what a path leads to."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return _NONE
    return status.st_dev, status.st_ino


class _Judge:
    """Says of a file at an output whose it is."""

    def __init__(self, places: Places, known: Known, *, overwrite: bool) -> None:
        self._places, self._known, self._overwrite = places, known, overwrite

    @cached_property
    def _others(self) -> set[str]:
        return set(map(self._places.one_name, self._known.outputs))

    @cached_property
    def _ours(self) -> set[str]:
        return set(map(self._places.one_name, self._known.ours))

    @cached_property
    def _orphaned(self) -> set[str]:
        return set(map(self._places.one_name, self._known.orphaned))

    def verdict(self, output: str, status: os.stat_result, before: str) -> tuple[Owner, str]:
        """Return whose a file is, and of what is read, what it is.

        Parameters
        ----------
        output
            Where it is.
        status
            Of the file, or of the link.
        before
            The output that the row has from an earlier run.
        """
        name = self._places.one_name(output)
        ours = name == self._places.one_name(before) or (name in self._ours and name not in self._others)
        plain = stat.S_ISREG(status.st_mode)
        if ours and plain and status.st_nlink == 1:
            return Owner.OURS, ""
        if what := self._places.inodes.get(identity_of(self._places.real(output))):
            return Owner.READ, what
        if ours:
            return Owner.OURS, ""
        if name in self._others:
            return Owner.ROWS, ""  # another row's, which the run settles once both are complete
        if name in self._orphaned:
            return Owner.ORPHANED, ""
        return (Owner.OURS if self._overwrite and plain else Owner.FOREIGN), ""
