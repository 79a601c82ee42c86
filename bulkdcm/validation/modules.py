"""The modules of the SOP class: what must be there, what must have a value, and which values are allowed (PS3.3)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pydicom.dataelem import RawDataElement

from bulkdcm.validation import expressions, rules

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pydicom.dataelem import DataElement
    from pydicom.dataset import Dataset

    from bulkdcm.validation.rules import ModuleRules, Rule

_SHOWN = 60


def check_modules(dataset: Dataset) -> Iterator[tuple[str, str]]:
    """Yield what the modules of its SOP class, and those that its attributes call up, find wrong: (where, rule)."""
    of_class = rules.of_class(str(dataset.get("SOPClassUID") or ""))
    if of_class is None:
        return
    there = set(map(int, dataset.keys()))
    called = {name for tag, (name, rule) in of_class.called_by.items() if tag in there and _has_value(dataset, rule)}
    applied = [
        module
        for name, (module, condition) in of_class.others.items()
        if name in called or expressions.holds(condition, dataset, dataset)
    ]
    yield from _Level(dataset, dataset, "").check([*of_class.always, *applied])


def _has_value(dataset: Dataset, rule: Rule) -> bool:
    element: DataElement | RawDataElement = dataset.get_item(rule.tag)
    if not isinstance(element, RawDataElement):
        return not element.is_empty
    value = element.value or b""
    return bool(value.strip(b" \0") if rule.is_text else value)


def _strictness(pair: tuple[ModuleRules, Rule]) -> str:
    return pair[1].kind


class _Level:
    """A data set, or an item of a sequence in it."""

    def __init__(self, dataset: Dataset, root: Dataset, path: str) -> None:
        self._dataset, self._root, self._path = dataset, root, path
        self._there = set(map(int, dataset.keys()))  # asking a Dataset takes ten times as long
        self._said: set[int] = set()  # one attribute, one message: the first

    def check(self, modules: Sequence[ModuleRules]) -> Iterator[tuple[str, str]]:
        """Yield what `modules` find wrong here and in items."""
        pairs = [(module, rule) for module in modules for rule in module.rules]
        instead = {rule.tag: rule for _, rule in pairs if rule.instead}
        pairs = [pair for pair in pairs if instead.get(pair[1].tag, pair[1]) is pair[1]]
        # The strictest module speaks first.
        for module, rule in sorted(pairs, key=_strictness):
            if rule.kind == "3" and not (rule.values and rule.tag in self._there):
                continue
            if rule.tag not in self._said and (wrong := self._wrong(module, rule)):
                self._said.add(rule.tag)
                yield f"{self._path}{rule.keyword}", wrong
        yield from self._misplaced(pairs)
        for module, rule in {(rule.tag, rule.items): (module, rule) for module, rule in pairs if rule.items}.values():
            yield from self._items(module, rule)

    def _wrong(self, module: ModuleRules, rule: Rule) -> str:
        """Return what breaks a rule; an empty string where nothing does."""
        by = f"(Type {rule.kind}, PS3.3 {module.section})"
        if rule.tag in self._there:
            if not _has_value(self._dataset, rule):
                return f"without a value, which {module.name} needs {by}" if rule.kind in {"1", "1C"} else ""
            return self._not_allowed(module, rule) if rule.values else ""
        empty = ", empty if unknown" if rule.kind[0] == "2" else ""
        if rule.kind in {"1", "2"}:
            return f"missing; {module.name} must have it{empty} {by}"
        if rule.condition and (holding := expressions.holds(rule.condition, self._dataset, self._root)):
            return f"missing; {module.name} must have it{empty}, since {holding} {by}"
        return ""

    def _not_allowed(self, module: ModuleRules, rule: Rule) -> str:
        for value in expressions.values_of(self._dataset, rule.keyword):
            if value and not any(expressions.same(value, term) for term in rule.values):
                allowed = ", ".join(rule.values)
                return f"{value[:_SHOWN]!r}; {module.name} allows {allowed} (PS3.3 {module.section})"
        return ""

    def _misplaced(self, pairs: Iterable[tuple[ModuleRules, Rule]]) -> Iterator[tuple[str, str]]:
        """Yield attributes that each module that knows them allows only under a condition which doesn't hold."""
        known: dict[int, list[tuple[ModuleRules, Rule]]] = {}
        for module, rule in pairs:
            if rule.tag in self._there and rule.tag not in self._said:
                known.setdefault(rule.tag, []).append((module, rule))
        for homes in known.values():
            if all(rule.only and not expressions.holds(rule.only, self._dataset, self._root) for _, rule in homes):
                module, rule = homes[0]
                words = expressions.in_words(rule.only)
                by = f"(Type {rule.kind}, PS3.3 {module.section})"
                yield f"{self._path}{rule.keyword}", f"there, which {module.name} allows only if {words} {by}"

    def _items(self, module: ModuleRules, rule: Rule) -> Iterator[tuple[str, str]]:
        if rule.tag not in self._there:
            return
        own = replace(module, rules=rules.of_items(rule.items))
        for number, item in enumerate(self._dataset[rule.tag].value or (), start=1):
            yield from _Level(item, self._root, f"{self._path}{rule.keyword}[{number}].").check([own])
