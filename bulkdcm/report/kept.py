"""Blocks kept for later in little memory: texts of a column as one text, numbers as a machine has them."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bulkdcm.ledger.block import Block

if TYPE_CHECKING:
    from collections.abc import Sequence

_END, _NONE = "\0", "\1"


@dataclass(frozen=True, slots=True)
class Packed:
    """A block, smaller."""

    count: int
    same: dict[str, Any]
    varying: dict[str, _Texts | _Numbers | Sequence[Any]]

    def block(self) -> Block:
        """Return it as it was."""
        columns = {
            name: column.values() if isinstance(column, _Texts | _Numbers) else column
            for name, column in self.varying.items()
        }
        return Block(self.count, self.same, columns)


@dataclass(frozen=True, slots=True)
class _Texts:
    """Texts one after the other."""

    together: str

    def values(self) -> Sequence[str | None]:
        found = self.together.split(_END)
        return [None if text == _NONE else text for text in found] if _NONE in self.together else found


@dataclass(frozen=True, slots=True)
class _Numbers:
    """Numbers one after the other, and for each row whether it has one; None if all have."""

    numbers: array[int] | array[float]
    present: bytes | None

    def values(self) -> Sequence[float | None]:
        if self.present is None:
            return self.numbers.tolist()
        left = iter(self.numbers)
        return [next(left) if has else None for has in self.present]


def packed(block: Block) -> Packed:
    """Return a block as it is kept."""
    return Packed(block.count, block.same, {name: _packed(column) for name, column in block.varying.items()})


def _packed(column: Sequence[Any]) -> _Texts | _Numbers | Sequence[Any]:
    given = [value for value in column if value is not None] if None in column else column
    if isinstance(given[0], str):
        texts = column if given is column else [_NONE if value is None else value for value in column]
        together = _END.join(texts)
        # Texts that hold what stands between them, or for none, stay as they are.
        plain = together.count(_END) == len(column) - 1 and together.count(_NONE) == len(column) - len(given)
        return _Texts(together) if plain else column
    present = None if given is column else bytes(value is not None for value in column)
    return _Numbers(array("d" if isinstance(given[0], float) else "q", given), present)
