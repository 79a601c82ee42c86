"""Several rows of one image, as tables of findings have them: which one counts, or what they are together."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from bulkdcm.attributes import dictionary
from bulkdcm.manifest.table import Column, groups, members
from bulkdcm.model import Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bulkdcm.manifest.table import Codes, Manifest, Ordinals

_KEYS = ("source", "instance", "frame")
_TEXTS = frozenset({"LO", "SH", "PN", "ST", "LT", "UT", "UC", "CS"})
_NAMING = re.compile(r"^IssuerOf|(?:ID|Number)$")
"""What names one thing: two patients of an image are no patient "1; 2"."""
_ONE_TEXT = frozenset({"ST", "LT", "UT"})  # where a backslash is a plain character (PS3.5 6.2)


def one_row_an_image(manifest: Manifest, how: str) -> tuple[Manifest, list[Problem]]:
    """Return a manifest with one row for each image, in the place of its first.

    Parameters
    ----------
    manifest
        As read; rows of one image agree in `source`, `instance` and `frame`.
    how
        ``first``: the others go; ``join``: different cells become several values, or one text with "; " between.

    Returns
    -------
    The manifest, and a problem for each column whose different cells can't be one.
    """
    numbers = images([manifest.column(name) for name in _KEYS])
    _, first, counts = np.unique(numbers, return_index=True, return_counts=True)
    if counts.max(initial=1) == 1:
        return manifest, []
    if how == "first":
        return manifest.taken(np.sort(first)), []
    problems: list[Problem] = []
    shared = list(members(numbers, least=2))
    columns = {name: _joined(manifest, name, shared, problems) for name in manifest.columns}
    return manifest.of(columns).taken(np.sort(first)), problems


def images(keys: Sequence[Column]) -> Codes:
    """Return a number for each row, the same for rows of one image; a row that names none is no other's.

    Parameters
    ----------
    keys
        What rows of one image agree in; the first is their source.
    """
    numbers = groups(keys)
    nameless = keys[0].where(lambda path: not path)
    numbers[nameless] = len(numbers) + np.arange(np.count_nonzero(nameless), dtype=numbers.dtype)
    return numbers


def _joined(manifest: Manifest, name: str, shared: Sequence[Ordinals], problems: list[Problem]) -> Column:
    """Return a column with the cells of several rows together on each of them."""
    column = manifest.columns[name]
    sign = _between(name)
    index = {value: code for code, value in enumerate(column.values)}
    codes: Codes = column.codes.copy()
    wrong: list[Ordinals] = []
    for rows in shared:
        cells = list(dict.fromkeys(column.values[code] for code in column.codes[rows].tolist()))
        told = [cell for cell in cells if cell]
        if len(told) > 1 and not sign:
            wrong.append(rows)
        elif len(cells) > 1:
            codes[rows] = index.setdefault(sign.join(told), len(index))
    if wrong:
        problems.append(
            Problem(
                lines=manifest.lines_of(wrong[0]),
                column=name,
                value=column[int(wrong[0][0])],
                rule=f"rows of one image differ in {name}, whose values can't be put together"
                + (
                    f"; {len(wrong) - 1:,} more image{' is' if len(wrong) == 2 else 's are'} alike"
                    if len(wrong) > 1
                    else ""
                ),
                remedy="Leave the column out, or take the first row of each image with --rows-per-image first",
            )
        )
    return Column(codes, list(index))


def _between(name: str) -> str:
    """Return what may stand between different cells of a column; nothing if it holds one value."""
    attribute = dictionary.find(name)
    if attribute is None or attribute.vr not in _TEXTS | {"SQ"} or _NAMING.search(name):
        return ""
    if attribute.vm != "1" and not attribute.vm.startswith("1-"):
        return ""  # each value has its place, as in ImageType
    several = attribute.vm != "1" or attribute.vr == "SQ"
    if several and attribute.vr not in _ONE_TEXT:
        return "\\"
    return "; " if attribute.vr in _TEXTS - {"CS", "PN", "SH"} else ""


def identical(manifest: Manifest) -> tuple[Manifest, tuple[Problem, ...]]:
    """Return a manifest without rows that are another again in every cell, and a note of them."""
    column = manifest.column("source")
    counts = np.bincount(column.codes, minlength=len(column.values))
    if not (counts > 1).any():
        return manifest, ()
    suspects = np.flatnonzero(counts[column.codes] > 1)
    part = manifest.taken(suspects)
    numbers = groups(list(part.columns.values()))
    _, first = np.unique(numbers, return_index=True)
    again = suspects[np.delete(np.arange(len(suspects)), first)]
    if not len(again):
        return manifest, ()
    note = Problem(
        lines=manifest.lines_of(again),
        rule=f"{len(again):,} row{' is an earlier one' if len(again) == 1 else 's are earlier ones'} again, cell for cell",
        remedy="The first of them counts",
        severity="note",
    )
    return manifest.taken(np.delete(np.arange(len(manifest)), again)), (note,)
