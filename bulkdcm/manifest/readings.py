"""What a cell of a dataset may mean: one reading, or a doubt that says why there is none, or more than one."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

_SPACES = re.compile(r"[\s\u00a0\u2007\u202f]+")
_UNSEEN = re.compile("[\u200b\u200e\u200f\u2060\ufeff]")
_DIGIT = re.compile(r"\d")  # of any script


class Doubt(NamedTuple):
    """Why nothing certain can be made of a cell."""

    kind: str
    """Cells of a column whose doubts are of one kind are one message, with the words of the first."""
    rule: str
    remedy: str
    """``{key}`` stands for the mapping's table."""
    several: bool = False
    """Whether the cell has readings, only too many: `else` is not for such."""


def tidy(cell: str) -> str:
    """Return a cell with plain single spaces and plain digits, and without characters that nobody sees."""
    if cell.isascii():
        return " ".join(cell.split())
    plain = _SPACES.sub(" ", _UNSEEN.sub("", cell)).strip()
    return _DIGIT.sub(lambda match: str(unicodedata.decimal(match[0])), plain)


def alike(others: int) -> str:
    """Return the words for so many other values with the same fault; none for none."""
    return f"; {others:,} other value{' is' if others == 1 else 's are'} alike" if others else ""
