"""Checksums of many rows at once, the same as `schema.checksum` gives each of them: a column's texts are made together."""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING, Any
from zlib import crc32

import numpy as np

from bulkdcm.ledger.block import Block
from bulkdcm.ledger.schema import CONTENT, DECISIVE, checksum, values_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_MANY = 1 << 16
_TRIED, _FEW = 64, 48  # of so many numbers, as many different ones are too many to look for them again


class _Texts(dict[float, str]):
    """Texts of numbers, kept as long as they aren't too many: of short times most come again."""

    def __missing__(self, number: float) -> str:
        if len(self) >= _MANY:
            self.clear()
        text = repr(number)
        if type(number) is float:  # 1, in a damaged ledger, is equal to 1.0 and has another text
            self[number] = text
        return text


_texts = _Texts()


def texts_of(block: Block, name: str) -> Sequence[str]:
    """Return the `repr` of each value of a column that varies; none is a negative zero."""
    found = block.texts.get(name)
    if found is None:
        values = block.varying[name]
        comes_again = type(values[0]) is float and len(set(values[:_TRIED])) <= _FEW
        found = block.texts[name] = list(map(_texts.__getitem__ if comes_again else repr, values))
    return found


def columns_of(records: Iterable[Mapping[str, Any]]) -> tuple[tuple[Any, ...], ...]:
    """Return rows of the table as columns in the order of `schema.STORED`, each row as `schema.sealed` gives it.

    Parameters
    ----------
    records
        With keys of `CONTENT`; empty columns come of none.
    """
    columns = tuple(zip(*map(values_of, records), strict=True))
    if not columns:
        return ()
    block = Block.of(CONTENT, columns)
    return (*columns, tuple(checksums(block, CONTENT[1:])), tuple(checksums(block, DECISIVE[1:])))


def checksums(block: Block, names: Sequence[str]) -> list[int]:
    """Return the checksum of the values that each row of a block has in the columns `names`, in their order."""
    width = len(names)
    while width and names[width - 1] in block.same and block.same[names[width - 1]] is None:
        width -= 1
    if not width:
        return [checksum(())] * block.count
    last = block.varying.get(names[width - 1], ())
    if None in last:  # these rows end before others do
        given = [value is not None for value in last]
        long = iter(checksums(block.where(given), names[:width]))
        short = iter(checksums(block.where([not each for each in given]), names[: width - 1]))
        return [next(long if each else short) for each in given]
    return [crc32(text.encode()) for text in map("".join, zip(*_pieces(block, names[:width]), strict=False))]


def _pieces(block: Block, names: Sequence[str]) -> list[Iterable[str]]:
    """Return what put together makes the `repr` of a tuple for each row; what rows share doesn't end."""
    pieces: list[Iterable[str]] = []
    shared, comma = "(", ""
    for name in names:
        shared += comma
        comma = ", "
        column = block.varying.get(name)
        if column is None:
            shared += repr(block.same[name])
        elif _is_plain(column):
            pieces += [repeat(f"{shared}'"), column]
            shared = "'"
        else:
            pieces += [repeat(shared), texts_of(block, name)]
            shared = ""
    shared += ",)" if len(names) == 1 else ")"
    return [*pieces, repeat(shared, block.count)]


def _is_plain(column: Sequence[Any]) -> bool:
    """Whether all are texts which `repr` only puts between quotation marks."""
    try:
        together = "".join(column)
    except TypeError:
        return False
    if not together.isascii() or "'" in together or "\\" in together:
        return False
    codes = np.frombuffer(together.encode(), dtype=np.uint8)
    return bool(len(codes)) and bool(codes.min() >= 0x20) and bool(codes.max() < 0x7F)
