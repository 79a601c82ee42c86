"""Texts with fields in braces: cells of a row, parts of them, or what a named pattern finds in them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from bulkdcm.manifest.patterns import Pattern

_FIELD = re.compile(r"\{([^{}]*)\}")
_SLICE = re.compile(r"(.*)\[(-?\d{0,9}):(-?\d{0,9})\]")


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a template.

    Attributes
    ----------
    column
        Whose cell it is of.
    first, last
        The slice that is taken of it, as Python's; None for its ends.
    pattern
        That finds what is taken; None for all of the part.
    """

    column: str
    first: int | None = None
    last: int | None = None
    pattern: Pattern | None = None

    def of(self, cell: str) -> str:
        """Return the field of a cell; `ValueError` if its pattern finds nothing, or can't be asked."""
        text = cell[self.first : self.last]
        if self.pattern is None:
            return text
        found = self.pattern.group_of(text)
        if found is None:
            msg = f"the pattern {self.pattern.text!r} finds nothing in {cell[:80]!r}"
            raise ValueError(msg)
        return found


@dataclass(frozen=True, slots=True)
class Template:
    """A template whose fields are known.

    Attributes
    ----------
    texts
        What stands between the fields: one more than there are fields.
    fields
        The fields, in their order.
    """

    texts: tuple[str, ...]
    fields: tuple[Field, ...]

    @classmethod
    def of(cls, text: str, columns: Collection[str], patterns: Mapping[str, Pattern]) -> Template:
        """Return the template in a text.

        Parameters
        ----------
        text
            ``{Name}`` for a cell, ``{Name[:2]}`` for a slice of it, ``{Name:pattern}`` for what a pattern finds in it. A
            column whose own name is what stands in the braces comes first.
        columns
            Names of the table's columns.
        patterns
            By their names.

        Raises
        ------
        KeyError
            If a field names no column; with the name.
        """
        texts, names = _FIELD.split(text)[::2], _FIELD.findall(text)
        return cls(tuple(texts), tuple(_field(name, columns, patterns) for name in names))

    def filled(self, cells: Mapping[str, str]) -> str:
        """Return the text with the cells of a row; `ValueError` if a field can't be had."""
        parts = [self.texts[0]]
        for field, text in zip(self.fields, self.texts[1:], strict=True):
            parts += (field.of(cells[field.column]), text)
        return "".join(parts)


def _field(name: str, columns: Collection[str], patterns: Mapping[str, Pattern]) -> Field:
    if name in columns:
        return Field(name)
    column, colon, pattern = name.rpartition(":")
    if colon and pattern in patterns and column in columns:
        return Field(column, pattern=patterns[pattern])
    if (match := _SLICE.fullmatch(name)) and match[1] in columns:
        first, last = (int(number) if number else None for number in match.group(2, 3))
        return Field(match[1], first, last)
    raise KeyError(name)
