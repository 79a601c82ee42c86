"""The Standard's module tables, from ``modules.json``, made ready to be asked."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from pydicom.datadict import dictionary_VR, tag_for_keyword

from bulkdcm.validation.expressions import parse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bulkdcm.validation.expressions import Condition

_TEXTS = {"AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UI", "UR", "UT"}


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
    return json.loads(files("bulkdcm.validation").joinpath("modules.json").read_text(encoding="utf-8"))


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
