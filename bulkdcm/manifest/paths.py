"""Where outputs are written to: never outside the output folder, one place a row, and none that is bulkdcm's own."""

from __future__ import annotations

import posixpath
from itertools import compress
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import numpy as np

from bulkdcm import names
from bulkdcm.manifest.table import members
from bulkdcm.model import Problem
from bulkdcm.names import fold
from bulkdcm.settings import is_url

if TYPE_CHECKING:
    from collections.abc import Collection, Container, Iterable, Iterator

    from bulkdcm.manifest.table import Column, Manifest

_MAX_NAME_BYTES = 255
_MAX_CHAR_BYTES = 4
_OUTSIDE = (":/", ":\\", "\n/", "\n\\", "\n..")  # without one of them no path is `outside`
_NOT_PLAIN = ("//", "/.", "\n/", "\n.")  # without one of them paths are names with single slashes between
_LOCAL_NAME = "Outputs are local files: give a name relative to --out, and copy them to where they belong after the run"


def outside(path: str) -> str:
    """Return what is wrong with a path that doesn't stay in its folder; empty if it does."""
    if is_url(path):
        return "a URL"
    if path.startswith(("/", "\\")) or path[1:3] in {":/", ":\\"}:
        return "an absolute path"
    if path == ".." or path.startswith("../"):
        return "the path leads out of the folder"
    return ""


def all_outside(column: Column) -> dict[int, str]:
    """Return what is wrong with the paths of a column that don't stay in their folder, by their codes."""
    if not column.may_hold(*_OUTSIDE):
        return {}
    return {code: rule for code, path in enumerate(column.values) if (rule := outside(path))}


def check_outputs(manifest: Manifest, reserved: Collection[str], twice: Container[int] = ()) -> Iterator[Problem]:
    """Yield the problems of output paths: outside the folder, reserved, or one place for two rows.

    Parameters
    ----------
    manifest
        Resolved.
    reserved
        Names in the output folder that are the report's and the ledger's, in lower case.
    twice
        Lines that are known to be another one again, whose outputs are one for that reason.
    """
    column, sources = manifest.column("output"), manifest.places
    found: dict[str, list[int]] = {}
    rules = {**_all_unusable(column, reserved), **all_outside(column)}
    for code, rule in sorted(rules.items()):
        # A path derived from a wrong source has been reported there.
        if len(ordinals := column.ordinals([code])) and not outside(sources[int(ordinals[0])]):
            found.setdefault(rule, []).append(code)
    for rule, codes in found.items():
        ordinals = column.ordinals(codes)
        first = column[int(ordinals[0])]
        yield Problem(
            lines=manifest.lines_of(ordinals),
            column="output",
            value=first,
            rule=rule,
            remedy=_LOCAL_NAME if is_url(first) else "Give another name, relative to --out",
        )
    yield from _collisions(manifest, column, twice)


def _all_unusable(column: Column, reserved: Collection[str]) -> dict[int, str]:
    """Return why no file can have some names of a column, by their codes."""
    longest = max(map(len, column.values), default=0) * (1 if column.text.isascii() else _MAX_CHAR_BYTES)
    firsts = {path.partition("/")[0] for path in column.values}
    plain = longest <= _MAX_NAME_BYTES and not names.are_restricted()
    if plain and not any(fold(first) in reserved for first in firsts):
        return {}
    return {code: rule for code, path in enumerate(column.values) if (rule := unusable(path, reserved))}


def unusable(path: str, reserved: Collection[str] = ()) -> str:
    """Return why no file of ours can have a name; empty if one can."""
    first = path.split("/", 1)[0]
    if fold(first) in reserved:
        return "the name is bulkdcm's own"
    if any(len(part.encode("utf-8", "surrogateescape")) > _MAX_NAME_BYTES for part in path.split("/")):
        return f"a name of more than {_MAX_NAME_BYTES} bytes fits no file system"
    return names.not_of_this_system(path)


def _folded(column: Column) -> Column:
    text = column.text.lower() if column.text.isascii() else ""
    return column if text == column.text else column.mapped(fold)


def _collisions(manifest: Manifest, column: Column, twice: Container[int]) -> Iterator[Problem]:
    folded = _folded(column)
    heads = np.delete(np.arange(len(manifest)), manifest.followers)
    for same in members(folded.codes[heads], least=2):
        ordinals = heads[same]
        first = int(ordinals[0])
        others = [int(ordinal) for ordinal in ordinals[1:] if int(manifest.lines[ordinal]) not in twice]
        if not column[first] or not others:
            continue  # the layout derives it from the UIDs, which agreement.py checks
        differ = column[first] != column[others[0]]
        yield Problem(
            lines=manifest.lines_of(others),
            column="output",
            value=column[others[0]],
            rule=f"line {manifest.lines[first]} goes to the same place"
            + (f", {column[first]!r}: some file systems see no difference" if differ else ""),
            remedy="Give each row its own name in the `output` column, or use --layout uid",
        )
    yield from _files_as_folders(manifest, folded)


def _files_as_folders(manifest: Manifest, folded: Column) -> Iterator[Problem]:
    values = _used(folded)
    folders = _folders(folded, values)
    wrong = folders.intersection(values) - {"", "."}
    inside: dict[str, list[int]] = {}
    for code, path in enumerate(folded.values if wrong else ()):
        above = path
        while above := posixpath.dirname(above.rstrip("/")):
            if above in wrong:
                inside.setdefault(above, []).append(code)
    for file, codes in sorted(inside.items()):
        yield Problem(
            lines=tuple(sorted(line for code in codes for line in manifest.lines_of(folded.ordinals([code])))),
            column="output",
            value=folded.values[codes[0]],
            rule=f"{file!r} is another row's file and can't be this one's folder",
            remedy="Give one of them another name in the `output` column",
        )


def _used(column: Column) -> list[str]:
    """Return the values that a row has; a column may keep others."""
    used = np.zeros(len(column.values), dtype=bool)
    used[column.codes] = True
    return column.values if used.all() else list(compress(column.values, used.tolist()))


def _folders(folded: Column, paths: Iterable[str]) -> set[str]:
    """Return the folders of paths, and those above them."""
    if folded.may_hold(*_NOT_PLAIN):
        folders = {posixpath.dirname(path) for path in paths}
        return folders | {str(above) for folder in folders for above in PurePosixPath(folder).parents}
    found: set[str] = set()
    for folder in {path.rpartition("/")[0] for path in paths}:
        above = folder
        while above and above not in found:
            found.add(above)
            above = above.rpartition("/")[0]
    return found
