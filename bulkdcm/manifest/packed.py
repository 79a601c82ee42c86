"""Sources in archives: whether each archive can be read, and holds the members that rows name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bulkdcm.manifest.paths import outside
from bulkdcm.model import Problem
from bulkdcm.names import fold
from bulkdcm.stores import archives
from bulkdcm.stores.members import rule_and_remedy

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bulkdcm.manifest.table import Column, Manifest
    from bulkdcm.stores.catalogue import Catalogue
    from bulkdcm.stores.index import Listed

_UNPACK = "Unpack it yourself, if you trust it, and name the file"
_WILL_FAIL = "its row will fail"


def paths_of(column: Column, files: frozenset[str]) -> list[str]:
    """Return the file that each value of a column of sources leads to: of a member, its archive."""
    if not column.may_hold(archives.MARK):
        return column.values
    return [archives.file_of(name, files) for name in column.values]


def unusable(column: Column, files: frozenset[str]) -> dict[int, str]:
    """Return what is wrong with members whose path doesn't stay in its archive, by their codes."""
    found = {}
    for code, name in enumerate(column.values if column.may_hold(archives.MARK) else ()):
        divided = archives.split(name, files)
        if divided and (rule := outside(divided[1])):
            found[code] = rule
    return found


def check(
    manifest: Manifest, column: Column, sources: Mapping[int, str], catalogue: Catalogue, *, through: bool
) -> Iterator[Problem]:
    """Yield the problems of members of archives that are there.

    Parameters
    ----------
    manifest, column
        Resolved, and its column of sources.
    sources
        Those that are members, by their codes, as they are on the disk.
    catalogue
        Of the archives.
    through
        Whether archives that can only be read in order are read for this.
    """
    by_archive: dict[str, dict[int, str]] = {}
    for code, name in sources.items():
        archive, member = archives.split(name) or ("", "")
        by_archive.setdefault(archive, {})[code] = member
    for archive, members in by_archive.items():
        listed = catalogue.look(archive, through=through)
        if listed and listed.fault:
            rule, remedy = rule_and_remedy(listed.fault)
            yield _problem(manifest, column, list(members), f"{archive!r} can't be used: {rule}", remedy.rstrip("."))
        elif listed:
            yield from _Members(manifest, column, catalogue, listed).check(members)


class _Members:
    """What is said of members of one archive."""

    def __init__(self, manifest: Manifest, column: Column, catalogue: Catalogue, listed: Listed) -> None:
        self._manifest, self._column, self._index, self._listed = manifest, column, catalogue.index, listed

    def check(self, members: dict[int, str]) -> Iterator[Problem]:
        """Yield a problem for each kind of fault of members, by their codes."""
        missing: list[int] = []
        faults: dict[str, list[int]] = {}
        known = self._index.known(self._listed.number, members.values())
        for code, found in zip(members, known, strict=True):
            if found is None:
                missing.append(code)
            elif found.fault:
                faults.setdefault(found.fault, []).append(code)
        for fault, codes in faults.items():
            yield _problem(self._manifest, self._column, codes, f"the member can't be used: {fault}", _UNPACK)
        if missing:
            yield from self._missing(missing, members)

    def _missing(self, codes: Sequence[int], members: dict[int, str]) -> Iterator[Problem]:
        alike = {fold(name): name for name, _ in self._index.names(self._listed.number)}
        known = [code for code in codes if fold(archives.key(members[code])) in alike]
        rule = "no such member in the archive"
        if known:
            there = alike[fold(archives.key(members[known[0]]))]
            remedy = f"There is {there!r}: write the name as it is in the archive"
            yield _problem(self._manifest, self._column, known, rule, remedy)
        if rest := [code for code in codes if code not in set(known)]:
            ends = f", and the rest of it isn't known: {self._listed.ends}" if self._listed.ends else ""
            yield _problem(self._manifest, self._column, rest, f"{rule}{ends}", "Check the column")


def _problem(manifest: Manifest, column: Column, codes: Sequence[int], rule: str, remedy: str) -> Problem:
    return Problem(
        lines=manifest.lines_of(column.ordinals(codes)),
        column="source",
        value=column.values[codes[0]],
        rule=f"{rule}; {_WILL_FAIL}",
        remedy=remedy,
        severity="warning",
    )


def members(column: Column, files: frozenset[str]) -> list[int]:
    """Return the codes of the sources that are members of archives."""
    if not column.may_hold(archives.MARK):
        return []
    return [code for code, name in enumerate(column.values) if archives.split(name, files)]
