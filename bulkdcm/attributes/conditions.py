"""Which attributes need, exclude or call up others, asked of a data set or of all rows of a manifest at once.

The tables are in ``condition_tables.py``. Everything here works on values alone: who asks gives a function that says
what an attribute has, so that a million rows cost one question a distinct cell.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bulkdcm.attributes.condition_tables import CALLED_UP, ENUMERATED, FORMS, RULES, SAME_COUNT, Test

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import numpy.typing as npt

    from bulkdcm.attributes.condition_tables import CalledUp, Enumerated, Form, Rule, SameCount

    Values = Sequence[str] | None
    Mask = npt.NDArray[np.bool_]
    Ask = Callable[[str, Callable[[Values], Any]], npt.NDArray[Any]]
    """Takes a keyword and a question of its values (None if it is absent, no value if it is empty); returns the answers."""

_MOST_SHOWN = 3


class Breach(NamedTuple):
    """A condition that isn't kept."""

    keyword: str
    rule: str
    remedy: str
    others: tuple[str, ...] = ()
    """Attributes that the first needs or excludes."""


def broken(found: Mapping[str, Sequence[str]], sop_class_uid: str) -> Iterator[Breach]:
    """Yield what a data set breaks, and the attributes that its own call up and that it lacks.

    Parameters
    ----------
    found
        Keyword to values, as text; an empty sequence for a zero-length element. Of a Sequence, a text an item.
    sop_class_uid
        Of the data set.
    """

    def ask(keyword: str, question: Callable[[Values], Any]) -> npt.NDArray[Any]:
        return np.asarray(question(found.get(keyword)))

    for breach, mask in breaches(ask, sop_class_uid):
        if mask.any():
            yield breach
    for called in CALLED_UP:
        if _concerns(called.classes, sop_class_uid) and _any(ask, called.members).any():
            for keyword, _ in called.fills:
                if keyword not in found:
                    rule = f"missing, though {called.reason} (PS3.3 {called.section})"
                    yield Breach(keyword, rule, f"Add {keyword}")


def breaches(ask: Ask, sop_class_uid: str) -> Iterator[tuple[Breach, Mask]]:
    """Yield each condition that concerns the class, and for which rows it is broken.

    Parameters
    ----------
    ask
        See `Ask`; its answers have one shape, or none where they are the same for all.
    sop_class_uid
        Of all that is asked of.
    """
    for rule in RULES:
        if _concerns(rule.classes, sop_class_uid):
            yield from _rule(ask, rule)
    for called in CALLED_UP:
        if _concerns(called.classes, sop_class_uid):
            yield from _called_up(ask, called)
    for enumerated in ENUMERATED:
        if _concerns(enumerated.classes, sop_class_uid):
            yield _enumerated(ask, enumerated)
    for form in FORMS:
        yield _form(ask, form)
    for same in SAME_COUNT:
        yield _same_count(ask, same)


@lru_cache(maxsize=4096)
def keywords(sop_class_uid: str) -> frozenset[str]:
    """Return the attributes that the conditions of a class begin with: without any of them there is nothing to ask."""
    return frozenset(
        [
            *(rule.when.keyword for rule in RULES if _concerns(rule.classes, sop_class_uid)),
            *(
                test.keyword
                for called in CALLED_UP
                if _concerns(called.classes, sop_class_uid)
                for test in called.members
            ),
            *(table.keyword for table in ENUMERATED if _concerns(table.classes, sop_class_uid)),
            *(form.keyword for form in FORMS),
            *(keyword for same in SAME_COUNT for keyword in same.keywords),
        ]
    )


def filled(found: Mapping[str, str], sop_class_uid: str) -> tuple[tuple[str, str], ...]:
    """Return the attributes that a row's own call up, with their texts; a text is empty if its value isn't known.

    Parameters
    ----------
    found
        Keyword to cell.
    sop_class_uid
        Of the row.
    """
    asked = tuple(sorted((name, found[name]) for name in _valued_members() & found.keys()))
    return _filled(sop_class_uid, frozenset(found), asked)


@lru_cache(maxsize=1)
def calling() -> frozenset[str]:
    """Return the attributes by which others are written that the row doesn't give."""
    return frozenset(test.keyword for called in CALLED_UP if called.fills for test in called.members)


@lru_cache(maxsize=1)
def involved() -> frozenset[str]:
    """Return the attributes on which it depends, or for which it is decided, what `filled` returns."""
    members = (test.keyword for called in CALLED_UP for test in called.members)
    return frozenset(members) | {keyword for called in CALLED_UP for keyword, _ in called.fills}


@lru_cache(maxsize=1)
def _valued_members() -> frozenset[str]:
    return frozenset(test.keyword for called in CALLED_UP for test in called.members if test.values)


@lru_cache(maxsize=4096)
def _filled(
    sop_class_uid: str, names: frozenset[str], asked: tuple[tuple[str, str], ...]
) -> tuple[tuple[str, str], ...]:
    cells = {**dict.fromkeys(names, "?"), **dict(asked)}

    def ask(keyword: str, question: Callable[[Values], Any]) -> npt.NDArray[Any]:
        return np.asarray(question(cells[keyword].split("\\") if keyword in cells else None))

    found: dict[str, str] = {}
    for called in CALLED_UP:
        if _concerns(called.classes, sop_class_uid) and _any(ask, called.members).any():
            found |= {keyword: text for keyword, text in called.fills if keyword not in names}
    return tuple(found.items())


def _concerns(classes: frozenset[str], sop_class_uid: str) -> bool:
    return not classes or sop_class_uid in classes


def _holds(ask: Ask, test: Test) -> Mask:
    if not test.values and test.place is None:
        return ask(test.keyword, _has_value)

    def question(values: Values) -> bool:
        place = (values or ()) if test.place is None else (values or ())[test.place : test.place + 1]
        return any(value in test.values if test.values else bool(value) for value in place)

    return ask(test.keyword, question)


# By name, so that who asks can keep the answers.
def _has_value(values: Values) -> bool:
    return bool(values) and any(values)  # type: ignore[arg-type]  # not None then


def _count(values: Values) -> int:
    return len(values or ())


def _any(ask: Ask, tests: Sequence[Test]) -> Mask:
    mask: Mask = np.asarray(False)  # noqa: FBT003  # a scalar that takes any shape
    for test in tests:
        mask = mask | _holds(ask, test)
    return mask


def _rule(ask: Ask, rule: Rule) -> Iterator[tuple[Breach, Mask]]:
    when = _holds(ask, rule.when)
    if rule.unless:
        when = when & ~_any(ask, rule.unless)
    if not when.any():
        return
    if rule.needs:
        names = " or ".join(map(str, rule.needs))
        text = rule.rule or f"{rule.when} needs {names}"
        remedy = rule.remedy or f"Add {names}, or leave {rule.when.keyword} out"
        others = tuple(test.keyword for test in rule.needs)
        yield Breach(rule.when.keyword, f"{text} (PS3.3 {rule.section})", remedy, others), when & ~_any(ask, rule.needs)
    for excluded in rule.excludes:
        text = rule.rule or f"{rule.when} and {excluded} exclude each other"
        remedy = rule.remedy or f"Leave {excluded.keyword} or {rule.when.keyword} out"
        breach = Breach(rule.when.keyword, f"{text} (PS3.3 {rule.section})", remedy, (excluded.keyword,))
        yield breach, when & _holds(ask, excluded)
    if rule.never:
        breach = Breach(rule.when.keyword, f"{rule.rule or rule.when} (PS3.3 {rule.section})", rule.remedy)
        yield breach, when


def _called_up(ask: Ask, called: CalledUp) -> Iterator[tuple[Breach, Mask]]:
    if not called.needs:
        return
    lacking = {needed: ~_any(ask, [Test(name) for name in needed.split(" or ")]) for needed in called.needs}
    mask = _any(ask, called.members) & np.logical_or.reduce(np.broadcast_arrays(*lacking.values()))
    if not mask.any():
        return
    there = [test for test in called.members if (mask & _holds(ask, test)).any()]
    out = ", ".join(map(str, there[:_MOST_SHOWN])) + (" …" if len(there) > _MOST_SHOWN else "")
    add = [needed for needed, absent in lacking.items() if (mask & absent).any()]
    rule = f"{called.reason}, which needs {_listed(called.needs)} (PS3.3 {called.section})"
    remedy = called.remedy or "Add {add}, or leave {members} out"
    others = tuple(name for needed in called.needs for name in needed.split(" or "))
    yield Breach(there[0].keyword, rule, remedy.format(add=_listed(add), members=out), others), mask


def _listed(names: Sequence[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def _enumerated(ask: Ask, table: Enumerated) -> tuple[Breach, Mask]:
    def question(values: Values) -> bool:
        if not values or not any(values):
            return False
        if table.place is None:
            return not all(_same(value, table.values) for value in values if value)
        return (values[table.place] if len(values) > table.place else "") not in table.values

    shown = ", ".join(value or "nothing" for value in table.values)
    place = "" if table.place is None else f"value {table.place + 1} of "
    rule = f"{place}{table.keyword} is {'one of ' if len(table.values) > 1 else ''}{shown} in this SOP class"
    remedy = table.remedy or "Correct it, leave it out, or use a sop_class that takes it"
    return Breach(table.keyword, f"{rule} (PS3.3 {table.section})", remedy), ask(table.keyword, question)


def _same(value: str, allowed: Sequence[str]) -> bool:
    if value in allowed:
        return True
    try:
        return float(value) in {float(other) for other in allowed}
    except ValueError:
        return False


def _form(ask: Ask, form: Form) -> tuple[Breach, Mask]:
    def question(values: Values) -> bool:
        try:
            return bool(values) and all(values) and not form.holds(values)  # type: ignore[arg-type]  # not None then
        except ValueError:  # another rule is broken, that of its VR or VM
            return False

    mask = ask(form.keyword, question)
    if form.when:
        mask = mask & _any(ask, form.when)
    if form.unless:
        mask = mask & ~_any(ask, form.unless)
    return Breach(form.keyword, f"{form.rule} (PS3.3 {form.section})", form.remedy), mask


def _same_count(ask: Ask, same: SameCount) -> tuple[Breach, Mask]:
    first, *others = (ask(keyword, _count) for keyword in same.keywords)
    mask: Mask = np.asarray(False)  # noqa: FBT003  # as in `_any`
    for other in others:
        mask = mask | ((first > 0) & (other > 0) & (first != other))
    names = " and ".join(same.keywords)
    rule = f"{names} have different numbers of values; those of one place belong together (PS3.3 {same.section})"
    return Breach(same.keywords[0], rule, "Give both the same number of values", same.keywords[1:]), mask
