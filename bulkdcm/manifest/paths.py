"""Where sources are read from and outputs written to: never outside the image root or the output folder."""

from __future__ import annotations

import os
import posixpath
import stat
import unicodedata
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import numpy as np

from bulkdcm.model import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bulkdcm.manifest.table import Column, Manifest

RESERVED_OUTPUTS = ("report.csv", "report.parquet", "summary.json", ".bulkdcm")
_MAX_NAME_BYTES = 255


def _outside(path: str) -> str:
    if path.startswith(("/", "\\")) or path[1:3] in {":/", ":\\"}:
        return "an absolute path"
    if path == ".." or path.startswith("../"):
        return "the path leads out of the folder"
    return ""


def check_sources(manifest: Manifest, root: str) -> Iterator[Problem]:
    """Yield the problems of source paths: outside the root by name or by link; a warning where there is no file.

    Parameters
    ----------
    manifest
        Resolved.
    root
        Real path of the image root.
    """
    column = manifest.column("source")
    folders: dict[str, bool] = {}
    missing: list[int] = []
    for code, path in enumerate(column.values):
        if not path or "\0" in path:
            continue
        rule = _outside(path)
        if not rule:
            state = _look(root, path, folders)
            if state == "missing":
                missing.append(code)
            elif state == "outside":
                rule = "a link that leads outside the image root"
        if rule:
            yield Problem(
                lines=manifest.lines_of(column.ordinals([code])),
                column="source",
                value=path,
                rule=rule,
                remedy="Write it relative to the image root, which --images names",
            )
    if missing:
        yield Problem(
            lines=manifest.lines_of(column.ordinals(missing)),
            column="source",
            value=column.values[missing[0]],
            rule="no such file under the image root; its row will fail",
            remedy=f"Check the column and --images {root}",
            severity="warning",
        )


def _look(root: str, path: str, folders: dict[str, bool]) -> str:
    """Return ``inside``, ``outside`` or ``missing``; each folder is resolved once."""
    full = f"{root}/{path}"  # a million times: os.path.join is slower, Path ten times
    try:
        is_link = stat.S_ISLNK(os.lstat(full).st_mode)
    except (OSError, ValueError):
        return "missing"
    folder = path.rpartition("/")[0]
    if folder not in folders:
        folders[folder] = _is_inside(os.path.realpath(f"{root}/{folder}"), root)
    inside = folders[folder] and (not is_link or _is_inside(os.path.realpath(full), root))
    return "inside" if inside else "outside"


def _is_inside(real: str, root: str) -> bool:
    return real == root or real.startswith(root.rstrip(os.sep) + os.sep)


def check_outputs(manifest: Manifest) -> Iterator[Problem]:
    """Yield the problems of output paths: outside the folder, reserved, or one place for two rows."""
    column = manifest.column("output")
    for code, path in enumerate(column.values):
        rule = _outside(path) or _reserved(path)
        # A path derived from a wrong source has been reported there.
        if (
            rule
            and len(ordinals := column.ordinals([code]))
            and not _outside(manifest.column("source")[int(ordinals[0])])
        ):
            yield Problem(
                lines=manifest.lines_of(ordinals),
                column="output",
                value=path,
                rule=rule,
                remedy="Give another name, relative to --out",
            )
    yield from _collisions(manifest, column)


def _reserved(path: str) -> str:
    first = path.split("/", 1)[0]
    if fold(first) in RESERVED_OUTPUTS:
        return "the name is bulkdcm's own"
    if any(len(part.encode("utf-8", "surrogateescape")) > _MAX_NAME_BYTES for part in path.split("/")):
        return f"a name of more than {_MAX_NAME_BYTES} bytes fits no file system"
    return ""


def fold(path: str) -> str:
    """Return what two paths share that some file systems take for one: case and Unicode form."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def _collisions(manifest: Manifest, column: Column) -> Iterator[Problem]:
    folded = column.mapped(fold)
    used = np.bincount(np.delete(folded.codes, manifest.followers), minlength=len(folded.values))
    for code in np.flatnonzero(used > 1):
        if not folded.values[code]:
            continue  # the layout derives it from the UIDs, which agreement.py checks
        ordinals = np.setdiff1d(folded.ordinals([int(code)]), manifest.followers)
        first = int(ordinals[0])
        differ = column[first] != column[int(ordinals[1])]
        yield Problem(
            lines=manifest.lines_of(ordinals[1:]),
            column="output",
            value=column[int(ordinals[1])],
            rule=f"line {manifest.lines[first]} goes to the same place"
            + (f", {column[first]!r}: some file systems see no difference" if differ else ""),
            remedy="Give each row its own name in the `output` column, or use --layout uid",
        )
    yield from _files_as_folders(manifest, folded)


def _files_as_folders(manifest: Manifest, folded: Column) -> Iterator[Problem]:
    folders = {posixpath.dirname(path) for path in folded.values}
    folders |= {str(above) for folder in folders for above in PurePosixPath(folder).parents}
    for file in sorted(folders & set(folded.values) - {"", "."}):
        inside = [code for code, path in enumerate(folded.values) if path.startswith(f"{file}/")]
        yield Problem(
            lines=manifest.lines_of(folded.ordinals(inside)),
            column="output",
            value=folded.values[inside[0]],
            rule=f"{file!r} is another row's file and can't be this one's folder",
            remedy="Give one of them another name in the `output` column",
        )
