"""Which line of a table is which image's: the images' keys by a template, and the column that holds them."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from bulkdcm.draft.listing import shown
from bulkdcm.errors import SettingsError
from bulkdcm.printable import some
from bulkdcm.uids import normal_form

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from bulkdcm.draft.options import FolderOptions
    from bulkdcm.manifest import Manifest

    Rows = Sequence[dict[str, str]]

_ON = re.compile(r"((?:\{\w+\}|[^{}=])*\{\w+\}(?:\{\w+\}|[^{}=])*)(?:=(.+))?")
_FIELD = re.compile(r"\{(\w+)\}")
_OF_FILES = ("stem", "name", "path", "folder")
_COLUMNS_SHOWN = 30


class Match(NamedTuple):
    """The images of a folder and the lines of a table."""

    column: str
    """Of the table: the one that holds the keys."""
    keys: list[str]
    """Of each image."""
    lines: dict[str, list[int]]
    """Key of an image to the table's lines that have it, counted from 0."""


def matched(table: Manifest, rows: Rows, options: FolderOptions) -> Match:
    """Return which lines are which image's.

    Parameters
    ----------
    table
        As read.
    rows
        The images, with the fields of ``--pattern``.
    options
        With ``on``.

    Raises
    ------
    SettingsError
        If ``--on`` can't be used, nothing matches, or more than one column does.
    """
    template, column = _parsed(options, table)
    keys = [normal_form(_filled(template, row)) for row in rows]
    names = [column] if column else [name for name in table.columns if name]
    counts = {name: _count(table, name, keys) for name in names}
    found = [name for name in names if counts[name]]
    if not found:
        raise _nothing(table, rows, template, column, options)
    if len(found) > 1:
        told = ", ".join(f"{shown(name)} ({counts[name]:,} images)" for name in found)
        msg = (
            f'--on "{template}": several columns of {shown(table.path.name)} have cells that are the same: {told}. '
            f'Say which, such as --on "{template}={max(found, key=counts.__getitem__)}".'
        )
        raise SettingsError(msg)
    return Match(found[0], keys, _lines(table, found[0], set(keys) - {""}))


def _parsed(options: FolderOptions, table: Manifest) -> tuple[str, str]:
    """Return the template and the column of ``--on``."""
    parts = _ON.fullmatch(options.on)
    if not parts:
        msg = (
            f'--on {options.on!r}: say which part of each path is in {shown(table.path.name)}, such as --on "{{stem}}".'
        )
        raise SettingsError(msg)
    known = (*_OF_FILES, *fields_of_pattern(options))
    for name in _FIELD.findall(parts[1]):
        if name not in known:
            msg = f"--on {options.on!r}: {name!r} is no field of an image. Possible: {', '.join(known)}."
            raise SettingsError(msg)
    column = parts[2] or ""
    if column and column not in table.columns:
        names = [shown(name) for name in table.columns if name]
        msg = (
            f"--on {options.on!r}: {shown(table.path.name)} has no column {column!r}. "
            f"It has {some(names, _COLUMNS_SHOWN)}."
        )
        raise SettingsError(msg)
    return parts[1], column


def fields_of_pattern(options: FolderOptions) -> list[str]:
    """Return the fields of ``--pattern``."""
    return _FIELD.findall(options.pattern)


def _filled(template: str, row: dict[str, str]) -> str:
    path = PurePosixPath(row["source"])
    fields = {**row, "stem": path.stem, "name": path.name, "path": str(path), "folder": path.parent.name}
    return _FIELD.sub(lambda match: fields[match[1]], template)


def _cells(table: Manifest, name: str) -> list[str]:
    """Return the different cells of a column as keys are compared: without the spaces that a manifest loses too."""
    return [normal_form(cell.strip(" ")) for cell in table.column(name).values]


def _count(table: Manifest, name: str, keys: Sequence[str]) -> int:
    """Return how many images have their key in a column."""
    cells = set(_cells(table, name)) - {""}
    return sum(key in cells for key in keys)


def _lines(table: Manifest, name: str, keys: Collection[str]) -> dict[str, list[int]]:
    cells = _cells(table, name)
    found: dict[str, list[int]] = {}
    for ordinal, code in enumerate(table.column(name).codes.tolist()):
        if (key := cells[code]) in keys:
            found.setdefault(key, []).append(ordinal)
    return found


def _nothing(table: Manifest, rows: Rows, template: str, column: str, options: FolderOptions) -> SettingsError:
    """Return the error of a table in which no image has its key, with an example of both sides."""
    first, name = rows[0] if rows else {}, shown(table.path.name)
    image = f", such as {_filled(template, first)!r} of {shown(first['source'])}" if first else ""
    column = column or max(filter(None, table.columns), key=lambda name: len(table.column(name).values), default="")
    cells = table.column(column)
    ordinal = next((ordinal for ordinal in range(len(table)) if cells[ordinal].strip(" ")), -1)
    line = (
        "" if ordinal < 0 else f" Its column {shown(column)} has, on line {table.lines[ordinal]}, {cells[ordinal]!r}."
    )
    others = [f"{{{field}}}" for field in (*_OF_FILES, *fields_of_pattern(options))]
    better = {other: _best(table, [_filled(other, row) for row in rows]) for other in others if other != template}
    hint = next((f' With --on "{other}={fits}" some match.' for other, fits in better.items() if fits), "")
    remedy = hint or " Write --on so that both are the same, zeros and capitals too."
    return SettingsError(f'--on "{template}": no image has its key{image}, in {name}.{line}{remedy}')


def _best(table: Manifest, keys: Sequence[str]) -> str:
    """Return the column in which most images have their key; nothing if none has."""
    counts = {name: _count(table, name, list(map(normal_form, keys))) for name in table.columns if name}
    best = max(counts, key=counts.__getitem__, default="")
    return best if best and counts[best] else ""
