"""What all cells of one column of a dataset allow: the rule of a mapping, with a question for what they leave open."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from bulkdcm.attributes import dictionary, values
from bulkdcm.draft.words import sex_of, suffix_of, unit_of, units_in
from bulkdcm.manifest.conversions import converted
from bulkdcm.manifest.dates import formats_of
from bulkdcm.manifest.mapped import earliest
from bulkdcm.manifest.patterns import Pattern
from bulkdcm.manifest.readings import Doubt, tidy
from bulkdcm.manifest.rule import Rule
from bulkdcm.manifest.table import Column
from bulkdcm.printable import some

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bulkdcm.manifest import Manifest

_KINDS = {"DA": "date", "TM": "time", "AS": "age"}  # of a VR
_IN_CHARACTERS, _OF_CHARACTERS = re.compile(r"\d{4}年\d{1,2}月\d{1,2}日"), "%Y年%m月%d日"
_MOST_VALUES, _SHOWN, _CHARS = 20, 3, 40


@dataclass(slots=True)
class Draft:
    """One rule, as it grows."""

    rule: dict[str, Any]
    comment: str = ""
    questions: list[str] = field(default_factory=list)

    def ask(self, question: str) -> None:
        """Leave something open."""
        self.questions.append(question)

    @property
    def as_rule(self) -> Rule:
        """The rule as `converted` takes it."""
        of = self.rule.get
        return Rule(
            column=of("column", ""),
            take=Pattern(self.rule["take"]) if "take" in self.rule else None,
            values=of("values"),
            convert=of("as", ""),
            formats=of("formats", ()),
            unit=of("unit", "Y"),
            units=of("units", {}),
        )

    def toml(self) -> str:
        """Return the rule as a TOML table on one line."""
        entries = {**self.rule, **({"question": "; ".join(self.questions)} if self.questions else {})}
        comment = f"  # {self.comment}" if self.comment else ""
        return f"{{ {', '.join(f'{key} = {_value(entry)}' for key, entry in entries.items())} }}{comment}"


def text(string: str) -> str:
    """Return a string as TOML."""
    return json.dumps(string, ensure_ascii=False).replace(
        "\x7f", "\\u007f"
    )  # beside that, a JSON string is one of TOML


def _value(entry: Any) -> str:
    if isinstance(entry, dict):
        return f"{{ {', '.join(f'{text(key)} = {text(value)}' for key, value in entry.items())} }}" if entry else "{}"
    return f"[{', '.join(map(text, entry))}]" if isinstance(entry, tuple) else text(str(entry))


def draft(table: Manifest, target: str, name: str, study: str) -> Draft:
    """Return the rule for a column of the manifest.

    Parameters
    ----------
    table
        The dataset's.
    target
        Column of the manifest.
    name
        Column of the dataset.
    study
        The dataset's column of study dates, if there is one: births lie before them.
    """
    column = table.column(name)
    if target == "PatientSex":
        return _sex(column.values, name)
    entry = dictionary.find(target)
    if entry and entry.vr in _KINDS:
        latest = studies_of(table, column, study) if target == "PatientBirthDate" and study else ()
        return _converted(column.values, name, _KINDS[entry.vr], latest)
    return _plain(column.values, target, name)


def studies_of(table: Manifest, births: Column, study: str) -> Sequence[int]:
    """Return the earliest study of each birth, by the dataset's column of study dates; nothing if they aren't all certain."""
    dates = converted(table.column(study).values, Rule(column=study, convert="date"))
    if any(isinstance(date, Doubt) for date in dates):
        return ()
    return earliest(births, Column(table.column(study).codes, list(map(str, dates))))


def _converted(cells: Sequence[str], name: str, kind: str, latest: Sequence[int]) -> Draft:
    found = Draft({"column": name, "as": kind})
    if kind == "age":
        found.rule |= _units(cells, name)
    made = converted(cells, found.as_rule, latest)
    formats = _formats([cell for cell in cells if cell]) if kind == "date" else ()
    if formats == (_OF_CHARACTERS,):
        found.rule["formats"] = formats
        made = converted(cells, found.as_rule, latest)
    elif formats and converted(cells, replace(found.as_rule, formats=formats), latest) == made:
        found.rule["formats"], found.comment = formats, "the one order of day and month that all cells allow"
    kinds: dict[str, list[tuple[str, Doubt]]] = {}
    for cell, result in zip(cells, made, strict=True):
        if isinstance(result, Doubt):
            kinds.setdefault(result.kind, []).append((cell, result))
    for doubts in kinds.values():
        doubt = doubts[0][1]
        words = f"{doubt.rule}. {doubt.remedy.replace('{key}', 'this table')}"
        found.ask(f"{_shown([cell for cell, _ in doubts])}: {words}")
    return found


def _formats(cells: Sequence[str]) -> tuple[str, ...]:
    if cells and all(map(_IN_CHARACTERS.fullmatch, cells)):
        return (_OF_CHARACTERS,)
    return formats_of(cells)


def _shown(cells: Sequence[str]) -> str:
    return some(cells, _SHOWN, lambda cell: repr(cell[:_CHARS]))


def _units(cells: Sequence[str], name: str) -> dict[str, Any]:
    """Return what says in which units the ages of a column are."""
    suffix, unit = suffix_of(cells)
    if suffix:
        return {"take": rf"^(\d+) ?{suffix}$", "unit": unit}
    unit, units = unit_of(name), units_in(cells)
    return {**({"unit": unit} if unit != "Y" else {}), **({"units": units} if units else {})}


def _sex(cells: Sequence[str], name: str) -> Draft:
    """Return the table of a column of sexes: words that mean one thing in any language that has them."""
    known = sex_of(name, cells)
    found = Draft({"column": name, "values": {**known, **{cell: "" for cell in cells if cell and not tidy(cell)}}})
    if left := [cell for cell in cells if tidy(cell) and cell not in known]:
        found.ask(f"what are {_shown(left)}? Add each to values as M, F or O, or as an empty text if it isn't known")
    return found


def _plain(cells: Sequence[str], target: str, name: str) -> Draft:
    """Return the rule of a column that is taken as it is, where its cells are values of the attribute."""
    found = Draft({"column": name})
    if target in dictionary.RESERVED:
        return found
    refused = [cell for cell in cells if (bare := cell.strip(" ")) and values.broken_rule(target, bare)]
    if not refused:
        return found
    entry = dictionary.find(target)
    if entry and entry.vr == "IS":
        numbers = converted(cells, Rule(column=name, convert="number"))
        if not any(isinstance(text, Doubt) or (text and values.broken_rule(target, text)) for text in numbers):
            found.rule["as"] = "number"
            return found
    capitals = {cell: tidy(cell).upper() for cell in cells if tidy(cell)}
    right = not any(values.broken_rule(target, text) for text in capitals.values())
    if entry and entry.vr == "CS" and len(capitals) <= _MOST_VALUES and right:
        found.rule["values"] = capitals
        return found
    rule = values.broken_rule(target, refused[0].strip(" "))
    found.ask(f"{_shown(refused)}: {rule}. Say what they become with values or else, or take a part of them with take")
    return found
