"""The Standard's module tables, from ``modules.json``, made ready to be asked; and its conditions, each a small expression."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, NamedTuple

from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.multival import MultiValue

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pydicom.dataset import Dataset

_ATOM = re.compile(r"(/?)([\w.]+)(?:\[(\d)\])?(?: (!?=|>) (.+))?")
_TEXTS = {"AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UI", "UR", "UT"}


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What a module says of one attribute.

    Attributes
    ----------
    keyword, tag, is_text
        The attribute; whether a value of spaces is none.
    kind
        Its Type: ``1``, ``1C``, ``2``, ``2C`` or ``3``.
    condition
        When it must be there, of Type 1C and 2C; empty where no program can tell.
    only
        When it may be there; empty for always.
    values
        Enumerated Values; empty where there are none.
    items
        The rules of its items; empty where there are none.
    instead
        Whether it takes the place of what other modules say of the attribute.
    """

    keyword: str
    tag: int
    is_text: bool
    kind: str
    condition: Condition = ()
    only: Condition = ()
    values: tuple[str, ...] = ()
    items: str = ""
    instead: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleRules:
    """A module: its name, its section of PS3.3 and a rule for each attribute."""

    name: str
    section: str
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassRules:
    """The modules of a SOP class.

    Attributes
    ----------
    always
        Those that each object has.
    others
        Those that some have, with the condition that says when one must.
    called_by
        Of an attribute that stands in one of `others` and nowhere else: that module, and its rule.
    """

    always: tuple[ModuleRules, ...]
    others: Mapping[str, tuple[ModuleRules, Condition]]
    called_by: Mapping[int, tuple[str, Rule]]


@cache
def _table() -> Any:
    return json.loads(files("bulkdcm.verify").joinpath("modules.json").read_text(encoding="utf-8"))


@cache
def of_class(sop_class_uid: str) -> ClassRules | None:
    """Return the rules of a SOP class; None where the table doesn't have it.

    Images that bulkdcm doesn't write have those of Patient, General Study, General Series and SOP Common, as all have.
    """
    table = _table()
    if sop_class_uid in table["others"]:
        names = ("patient", "general-study", "general-series", "sop-common")
        return ClassRules(always=tuple(map(_module, names)), others={}, called_by={})
    if sop_class_uid not in table["classes"]:
        return None
    entry = table["classes"][sop_class_uid]
    always = [_module(name) for name, usage in entry["modules"].items() if usage == "M"]
    narrowed = [_narrowed(keyword, *values) for keyword, values in entry["values"].items()]
    others = {
        name: (_module(name), parse("" if usage == "U" else usage))
        for name, usage in entry["modules"].items()
        if usage != "M"
    }
    homes: dict[int, list[tuple[str, Rule]]] = {}
    for name, module in [("", module) for module in always] + [(name, module) for name, (module, _) in others.items()]:
        for rule in module.rules:
            homes.setdefault(rule.tag, []).append((name, rule))
    called_by = {tag: names[0] for tag, names in homes.items() if len(names) == 1 and names[0][0]}
    return ClassRules(always=(*always, *narrowed), others=others, called_by=called_by)


@cache
def _module(name: str) -> ModuleRules:
    entry = _table()["modules"][name]
    rules = tuple(_rule(keyword, rule) for keyword, rule in entry["attributes"].items())
    return ModuleRules(name=f"the {entry['name']} module", section=entry["section"], rules=rules)


def _narrowed(keyword: str, values: list[str], section: str) -> ModuleRules:
    """Return what an IOD itself says of an attribute's values."""
    rule = _rule(keyword, {"type": "3", "values": values})
    return ModuleRules(name="the IOD", section=section, rules=(rule,))


@cache
def of_items(name: str) -> tuple[Rule, ...]:
    """Return the rules of a kind of item."""
    return tuple(_rule(keyword, rule) for keyword, rule in _table()["items"][name].items())


def _rule(keyword: str, rule: str | dict[str, Any]) -> Rule:
    entry: dict[str, Any] = {"type": rule} if isinstance(rule, str) else rule
    tag = tag_for_keyword(keyword) or 0
    return Rule(
        keyword=keyword,
        tag=tag,
        is_text=bool(tag) and dictionary_VR(tag) in _TEXTS,
        kind=entry["type"],
        condition=parse(entry.get("if", "")),
        only=parse(entry.get("only", "")),
        values=tuple(entry.get("values", ())),
        items=entry.get("items", ""),
        instead=entry.get("instead", False),
    )


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


def same(value: str, term: str) -> bool:
    """Whether a value is a term; numbers are compared as numbers."""
    if value == term:
        return True
    try:
        return bool(value) and float(value) == float(term)
    except ValueError:
        return False


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
        elements = [level.get(tag_for_keyword(atom.path[-1])) for level in _levels(atom, dataset, root)]
        there = [element for element in elements if element is not None]
        return not there if atom.operator == "absent" else any(not element.is_empty for element in there)
    values = _found(atom, dataset, root)
    if atom.operator == ">":
        return any(float(value) > float(atom.values[0]) for value in values)
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
