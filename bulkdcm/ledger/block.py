"""Rows as columns, with what all of them share told once: most columns of many rows are the same from row to row."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import compress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True, slots=True)
class Block:
    """Some rows as columns.

    Attributes
    ----------
    count
        How many rows; at least one.
    same
        The value that all of them have, by the column's name.
    varying
        The values of each other column.
    texts
        What `repr` makes of them, as far as anybody has asked: a number's takes longer than all else that is done with it.
    """

    count: int
    same: dict[str, Any]
    varying: dict[str, Sequence[Any]]
    texts: dict[str, Sequence[str]] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, names: Iterable[str], columns: Iterable[Sequence[Any]]) -> Block:
        """Return columns as a block; equal values of one column must be of one type, as SQLite's are."""
        same, varying, count = {}, {}, 0
        for name, column in zip(names, columns, strict=True):
            count = len(column)
            if column.count(column[0]) == count:
                same[name] = column[0]
            else:
                varying[name] = column
        return cls(count, same, varying)

    def __getitem__(self, name: str) -> Sequence[Any]:
        found = self.varying.get(name)
        return (self.same[name],) * self.count if found is None else found

    def where(self, chosen: Sequence[int]) -> Block:
        """Return some of the rows; what varies among all may be the same in these."""
        few = Block.of(self.varying, [list(compress(column, chosen)) for column in self.varying.values()])
        return Block(sum(chosen), self.same | few.same, few.varying)

    def replaced(self, name: str, values: Sequence[Any]) -> Block:
        """Return the rows with other values in a column."""
        own = Block.of([name], [values])
        same, varying = ({n: v for n, v in old.items() if n != name} for old in (self.same, self.varying))
        return Block(self.count, same | own.same, varying | own.varying)
