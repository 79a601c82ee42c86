"""Conditions of the Standard as data: "Required if A is present and B is x" written as a small expression, and asked."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from pydicom.multival import MultiValue
from pydicom.sequence import Sequence

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pydicom.dataset import Dataset

_ATOM = re.compile(r"(/?)([\w.]+)(?:\[(\d)\])?(?: (!?=|>) (.+))?")
_NUMERIC = frozenset("+-.0123456789")


class Atom(NamedTuple):
    """One test of a condition.

    Attributes
    ----------
    path
        The attribute; before it, the sequences whose items hold it.
    root
        Whether it stands in the data set even where the rule is of an item.
    operator
        ``there``, ``absent``, ``=``, ``!=`` or ``>``.
    number
        Which of its values counts; 0 for any.
    values
        What they are compared with.
    """

    path: tuple[str, ...]
    root: bool
    operator: str
    number: int
    values: tuple[str, ...]


Condition = tuple[tuple[Atom, ...], ...]
"""Of the alternatives one must hold, of each alternative all atoms."""


def parse(text: str) -> Condition:
    """Return a condition from its text.

    Parameters
    ----------
    text
        ``A`` (has a value), ``no A`` (is not there), ``A = x|y`` (a value of it is x or y), ``A != x|y`` (it has values, and
        none of them), ``A[3] = x`` (its third value), ``A > 1``; ``A.B`` is B in an item of A, ``/A`` is A of the data set.
        Joined by ``and``, and those by ``or``.
    """
    return tuple(tuple(map(_atom, part.split(" and "))) for part in text.split(" or ")) if text else ()


def _atom(text: str) -> Atom:
    absent = text.startswith("no ")
    match = _ATOM.fullmatch(text.removeprefix("no "))
    if match is None:
        msg = f"{text!r} is no condition"
        raise ValueError(msg)
    root, path, number, operator, values = match.groups()
    return Atom(
        path=tuple(path.split(".")),
        root=bool(root),
        operator=operator or ("absent" if absent else "there"),
        number=int(number or 0),
        values=tuple((values or "").split("|")),
    )


def holds(condition: Condition, dataset: Dataset, root: Dataset) -> str:
    """Return in words the alternative that holds in a data set or item, or an empty string."""
    for atoms in condition:
        if all(_holds(atom, dataset, root) for atom in atoms):
            return " and ".join(_words(atom, _found(atom, dataset, root)) for atom in atoms)
    return ""


def in_words(condition: Condition) -> str:
    """Return a condition in words."""
    return " or ".join(" and ".join(_words(atom, atom.values) for atom in atoms) for atoms in condition)


def values_of(dataset: Dataset, keyword: str) -> list[str]:
    """Return the values of an attribute as text, none where it isn't there; a tag as eight digits."""
    value = dataset.get(keyword)
    if value is None or value == "":
        return []
    parts = value if isinstance(value, MultiValue | list) else [value]
    return [f"{int(part):08X}" if type(part).__name__ == "BaseTag" else str(part).strip() for part in parts]


class Texts(Mapping[str, list[str]]):
    """The values of a data set by keyword, each made into text only where it is asked for; of a Sequence one an item."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset

    def __getitem__(self, keyword: str) -> list[str]:
        if keyword not in self._dataset:
            raise KeyError(keyword)
        value = self._dataset.get(keyword)
        return ["item"] * len(value) if isinstance(value, Sequence) else values_of(self._dataset, keyword)

    def __iter__(self) -> Iterator[str]:
        return (element.keyword for element in self._dataset)

    def __len__(self) -> int:
        return len(self._dataset)


def same(value: str, term: str) -> bool:
    """Whether a value is a term; numbers are compared as numbers."""
    return value == term or (value[:1] in _NUMERIC and _number(value) == _number(term))


def _number(value: str) -> float:
    """Return the number that a text is; not a number, which equals none, where it is none."""
    try:
        return float(value)
    except ValueError:
        return math.nan


def _levels(atom: Atom, dataset: Dataset, root: Dataset) -> list[Dataset]:
    """Return the data set or items that may hold an atom's attribute."""
    levels = [root if atom.root else dataset]
    for keyword in atom.path[:-1]:
        levels = [item for level in levels for item in level.get(keyword) or ()]
    return levels


def _found(atom: Atom, dataset: Dataset, root: Dataset) -> list[str]:
    values = [value for level in _levels(atom, dataset, root) for value in values_of(level, atom.path[-1])]
    return values[atom.number - 1 : atom.number] if atom.number else values


def _holds(atom: Atom, dataset: Dataset, root: Dataset) -> bool:
    if atom.operator in {"absent", "there"}:
        keyword = atom.path[-1]
        there = [level[keyword] for level in _levels(atom, dataset, root) if keyword in level]
        return not there if atom.operator == "absent" else any(not element.is_empty for element in there)
    values = _found(atom, dataset, root)
    if atom.operator == ">":
        return any(_number(value) > _number(atom.values[0]) for value in values)
    matches = any(same(value, term) for value in values for term in atom.values)
    return matches if atom.operator == "=" else bool(values) and not matches


def _words(atom: Atom, values: Iterable[str]) -> str:
    name = ".".join(atom.path) + (f" value {atom.number}" if atom.number else "")
    if atom.operator == "there":
        return f"{name} has a value"
    if atom.operator == "absent":
        return f"{name} is missing"
    if atom.operator == ">":
        return f"{name} is more than {atom.values[0]}"
    if atom.operator == "!=":
        return f"{name} is not {' or '.join(atom.values)}"
    return f"{name} is {' or '.join(values)}"
