"""The names of a manifest's columns: those that are meant are understood, and one message says what else is wrong."""

from __future__ import annotations

import difflib
import re
from functools import lru_cache
from typing import TYPE_CHECKING

from pydicom.datadict import keyword_dict

from bulkdcm.attributes import dictionary
from bulkdcm.errors import ManifestError
from bulkdcm.model import Problem

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bulkdcm.manifest.readers.base import Form

_SOURCES = frozenset({"source", "filename", "file", "path", "image"})
_CUTOFF = 0.75
MOST_COLUMNS = 1000


def understood(path: Path, names: Sequence[str], form: Form) -> tuple[list[str], tuple[Problem, ...]]:
    """Return the names of a table's columns as a manifest has them, and notes on those that were written otherwise.

    Parameters
    ----------
    path
        The table, for messages.
    names
        Of its columns.
    form
        Of the table: the names of a dataset's own stay as they are.

    Raises
    ------
    ManifestError
        If a name is there twice, none is `source`, or there are too many.
    """
    if len(names) > MOST_COLUMNS:
        rule = f"{len(names):,} columns are more than {MOST_COLUMNS:,}"
        raise ManifestError.of(path, [Problem(lines=(1,), rule=rule, remedy="Leave the others out")])
    plain = [name.strip() for name in names]
    problems = _twice(plain)
    notes: list[Problem] = []
    if not form.foreign and not problems:
        meant = [name if known(name) else _taken_for(name, plain, form) for name in plain]
        problems = [*_several(plain, meant), *_no_source(plain, meant)]
        changed = {name: other for name, other in zip(plain, meant, strict=True) if other not in {"", name}}
        if changed:
            said = ", ".join(f"{name!r} as {other}" for name, other in changed.items())
            notes.append(
                Problem(
                    lines=(1,),
                    rule=f"columns are taken for others: {said}",
                    remedy="If that is wrong, leave them out with --ignore-column",
                    severity="note",
                )
            )
        plain = [other or name for name, other in zip(plain, meant, strict=True)]
    if problems:
        raise ManifestError.of(path, problems)
    return plain, tuple(notes)


def known(name: str) -> bool:
    """Return whether a manifest may have a column of this very name."""
    return name in dictionary.RESERVED or dictionary.find(name) is not None


def may_be_known(name: str) -> bool:
    """Return whether a name is a manifest's column, perhaps in another spelling."""
    return known(name) or bool(_meant(name))


def _taken_for(name: str, names: Sequence[str], form: Form) -> str:
    other = _meant(name) if name not in form.ignored else ""
    return "" if other in names else other


def _meant(name: str) -> str:
    """Return the column that a name is another spelling of: in other capitals, or with spaces; empty if of none."""
    letters = _letters(name)
    if letters in _SOURCES:
        return dictionary.SOURCE
    return _spellings().get(letters, "")


def _letters(name: str) -> str:
    return re.sub(r"[\s_-]+", "", name).lower()


@lru_cache(maxsize=1)
def _spellings() -> dict[str, str]:
    return {_letters(name): name for name in (*keyword_dict, *sorted(dictionary.RESERVED))}


def _twice(names: Sequence[str]) -> list[Problem]:
    counts: dict[str, int] = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    return [
        Problem(lines=(1,), column=name, rule="the name is in the header twice", remedy="Keep one of the columns")
        for name, count in counts.items()
        if name and count > 1
    ]


def _several(names: Sequence[str], meant: Sequence[str]) -> list[Problem]:
    """Return a problem for each column that several names may be."""
    found: dict[str, list[str]] = {}
    for name, other in zip(names, meant, strict=True):
        if other:
            found.setdefault(other, []).append(name)
    return [
        Problem(
            lines=(1,),
            rule=f"{' and '.join(map(repr, some))} may each be the column {other}",
            remedy=f"Name the right one {other}, and leave the others out with --ignore-column",
        )
        for other, some in found.items()
        if len(some) > 1 and other not in some
    ]


def _no_source(names: Sequence[str], meant: Sequence[str]) -> list[Problem]:
    if dictionary.SOURCE in meant:
        return []
    close = difflib.get_close_matches(dictionary.SOURCE, [name.lower() for name in names], n=1, cutoff=_CUTOFF)
    like = next((name for name in names if close and name.lower() == close[0]), "")
    remedy = "Name the column that holds the image paths `source`"
    if like:
        remedy = f"Did you mean {like!r}? {remedy}"
    return [Problem(lines=(1,), rule="the header has no column `source`", remedy=remedy)]
