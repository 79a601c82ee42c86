"""The manifest as columns: each value once, and a code a row. Rules are then asked once a value, not once a row."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from bulkdcm.uids import normal_form

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from bulkdcm.model import Problem

    Codes = npt.NDArray[np.int32]
    Ordinals = npt.NDArray[np.intp]

_FEW = 64  # values that a pass over all rows each is cheaper for than sorting them


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes
    ----------
    codes
        Shape ``(rows,)``, dtype int32: the index into `values` of each row's cell.
    values
        Each distinct cell.
    """

    codes: Codes
    values: list[str]
    _index: list[tuple[Ordinals, Ordinals]] = field(default_factory=list, init=False, repr=False, compare=False)
    _text: list[str] = field(default_factory=list, init=False, repr=False, compare=False)

    @classmethod
    def constant(cls, value: str, rows: int) -> Column:
        """Return a column of `rows` equal cells."""
        return cls(np.zeros(rows, dtype=np.int32), [value])

    @classmethod
    def of(cls, cells: Iterable[str]) -> Column:
        """Return a column of these cells."""
        index: dict[str, int] = {}
        codes = np.array([index.setdefault(cell, len(index)) for cell in cells], dtype=np.int32)
        return cls(codes, list(index))

    def __getitem__(self, ordinal: int) -> str:
        return self.values[int(self.codes[ordinal])]

    @property
    def text(self) -> str:
        """All values as one text, a line end before and after each: what isn't in it is in none of a million values."""
        if not self._text:
            self._text.append("\n".join(["", *self.values, ""]))
        return self._text[0]

    def may_hold(self, *marks: str) -> bool:
        """Return whether one of some texts may be in a value; a line end at a mark's side is where the value ends.

        Where it is False, no value needs to be looked at; a value that has line ends itself may make it True.
        """
        return any(mark in self.text for mark in marks)

    def mapped(self, function: Callable[[str], str], marks: Sequence[str] = ()) -> Column:
        """Return the column with `function` applied to each distinct value; equal results become one.

        Parameters
        ----------
        function
            Of a value.
        marks
            As for `may_hold`: `function` changes no value that holds none of them. None, if it may change any.
        """
        if marks and not self.may_hold(*marks):
            return self
        return self.renamed(list(map(function, self.values)))

    def renamed(self, values: list[str]) -> Column:
        """Return the column with other values in the places of its own; equal ones become one."""
        index = dict.fromkeys(values)
        if len(index) == len(values):
            return Column(self.codes, values)
        place = {value: code for code, value in enumerate(index)}
        renumbered = np.fromiter(map(place.__getitem__, values), dtype=np.int32, count=len(values))
        return Column(renumbered[self.codes], list(index))

    def ordinals(self, codes: Sequence[int]) -> Ordinals:
        """Return the rows whose cell is one of the values with these codes, ascending."""
        if (
            len(self.values) > _FEW and len(codes) == 1
        ):  # asked value by value, each pass over all rows would be too many
            if not self._index:
                self._index.append(by_number(self.codes, len(self.values)))
            order, starts = self._index[0]
            return order[starts[codes[0]] : starts[codes[0] + 1]]
        wanted = np.zeros(len(self.values), dtype=bool)
        wanted[list(codes)] = True
        return np.flatnonzero(wanted[self.codes])

    def where(self, condition: Callable[[str], bool]) -> npt.NDArray[np.bool_]:
        """Return, for each row, whether `condition` holds for its cell; asked once a distinct value."""
        return np.array([condition(value) for value in self.values], dtype=bool)[self.codes]


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest as read.

    Attributes
    ----------
    path
        The CSV file.
    columns
        Name to column, in the file's order.
    lines
        Shape ``(rows,)``, dtype int32: the line of the file that each row begins on.
    frames
        Ordinals of the rows that make one object together, in the order of its frames, by the first of them.
    kinds
        What the column ``sop_class`` may hold that is no SOP class.
    notes
        What was noticed in reading it.
    sha256
        Of the file; empty if it is none.
    unpacked
        Each row's source or, of a member of an archive, where it would lie if that were unpacked; None if no row has one.
    files
        Sources that read as members of archives and are files.
    """

    path: Path
    columns: dict[str, Column]
    lines: Codes
    frames: dict[int, tuple[int, ...]] = field(default_factory=dict)
    kinds: frozenset[str] = frozenset()
    notes: tuple[Problem, ...] = ()
    sha256: str = ""
    unpacked: Column | None = None
    files: frozenset[str] = frozenset()

    def __len__(self) -> int:
        return len(self.lines)

    def column(self, name: str) -> Column:
        """Return a column, or one of empty cells where the manifest has none of that name."""
        return self.columns.get(name) or Column.constant("", len(self))

    def of(self, columns: dict[str, Column]) -> Manifest:
        """Return the manifest with other columns of the same rows."""
        return replace(self, columns=columns)

    def noting(self, *notes: Problem) -> Manifest:
        """Return the manifest with more notes."""
        return replace(self, notes=(*self.notes, *notes)) if notes else self

    def taken(self, rows: Ordinals) -> Manifest:
        """Return the manifest with some of its rows, before any frames were found."""
        columns = {name: Column(column.codes[rows], column.values) for name, column in self.columns.items()}
        return replace(self, columns=columns, lines=self.lines[rows])

    @property
    def places(self) -> Column:
        """By what each row's image is known, whether it lies in an archive or not."""
        return self.unpacked or self.column("source")

    @property
    def followers(self) -> Ordinals:
        """The rows that are second, third … frame of an object, ascending."""
        return np.array(sorted(o for members in self.frames.values() for o in members[1:]), dtype=np.intp)

    def lines_of(self, ordinals: Iterable[int]) -> tuple[int, ...]:
        """Return the lines of rows."""
        return tuple(self.lines[np.asarray(ordinals, dtype=np.intp)].tolist())


def in_normal_form(column: Column) -> Column:
    """Return a column with its cells in the form that keys are derived from and compared in."""
    return column if column.text.isascii() else column.mapped(normal_form)


def by_number(numbers: npt.NDArray[Any], count: int) -> tuple[Ordinals, Ordinals]:
    """Return the rows in the order of their numbers, and where in it each number from 0 to `count` begins."""
    order = np.argsort(numbers, kind="stable")
    return order, np.searchsorted(numbers[order], np.arange(count + 1))


def members(numbers: npt.NDArray[Any], *, least: int = 1) -> Iterator[Ordinals]:
    """Yield the rows of each number that at least `least` rows have, ascending, in the order of the numbers."""
    order = np.argsort(numbers, kind="stable")
    starts = np.flatnonzero(np.r_[True, numbers[order][1:] != numbers[order][:-1]]) if len(order) else order
    ends = np.r_[starts[1:], len(order)]
    for start, end in zip(starts[ends - starts >= least], ends[ends - starts >= least], strict=True):
        yield order[start:end]


def groups(columns: Sequence[Column]) -> Codes:
    """Return a number for each row, the same for rows whose cells agree in all `columns`.

    Returns
    -------
    Shape ``(rows,)``, dtype int32, numbered from 0.
    """
    combined: npt.NDArray[np.int64] = columns[0].codes.astype(np.int64)
    for column in columns[1:]:
        if len(column.values) > 1:
            _, combined = np.unique(combined * len(column.values) + column.codes, return_inverse=True)
    _, combined = np.unique(combined, return_inverse=True)
    return combined.astype(np.int32)
