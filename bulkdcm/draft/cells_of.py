"""What all cells of one column of a dataset allow: the rule of a mapping, with a question for what they leave open."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bulkdcm.attributes import dictionary, values
from bulkdcm.manifest.conversions import converted
from bulkdcm.manifest.dates import formats_of
from bulkdcm.manifest.mapped import earliest
from bulkdcm.manifest.readings import Doubt, tidy
from bulkdcm.manifest.rule import Rule
from bulkdcm.manifest.table import Column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bulkdcm.manifest import Manifest

_KINDS = {"PatientAge": "age", "PatientBirthDate": "date", "StudyDate": "date", "StudyTime": "time"}
_AGE_UNITS = (("month", "M"), ("mos", "M"), ("week", "W"), ("day", "D"), ("hour", "H"))
_SEXES = {
    "m": "M",
    "male": "M",
    "man": "M",
    "f": "F",
    "female": "F",
    "woman": "F",
    "o": "O",
    "other": "O",
    "unknown": "",
}
_YES, _NO = ("true", "1", "yes", "1.0"), ("false", "0", "no", "0.0")
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
    if target in _KINDS:
        latest = _studies(table, column, study) if target == "PatientBirthDate" and study else ()
        return _converted(column.values, name, _KINDS[target], latest)
    return _plain(column.values, target, name)


def _studies(table: Manifest, births: Column, study: str) -> Sequence[int]:
    dates = converted(table.column(study).values, Rule(column=study, convert="date"))
    if any(isinstance(date, Doubt) for date in dates):
        return ()
    return earliest(births, Column(table.column(study).codes, list(map(str, dates))))


def _converted(cells: Sequence[str], name: str, kind: str, latest: Sequence[int]) -> Draft:
    found = Draft({"column": name, "as": kind})
    unit = next((unit for word, unit in _AGE_UNITS if word in name.lower()), "Y") if kind == "age" else "Y"
    if unit != "Y":
        found.rule["unit"] = unit
    made = converted(cells, Rule(column=name, convert=kind, unit=unit), latest)
    formats = formats_of([cell for cell in cells if cell]) if kind == "date" else ()
    if formats and converted(cells, Rule(column=name, convert=kind, formats=formats), latest) == made:
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


def _shown(cells: Sequence[str]) -> str:
    more = f" and {len(cells) - _SHOWN:,} more" if len(cells) > _SHOWN else ""
    return ", ".join(repr(cell[:_CHARS]) for cell in cells[:_SHOWN]) + more


def _sex(cells: Sequence[str], name: str) -> Draft:
    """Return the table of a column of sexes: words that mean one thing in any language that has them."""
    letters = re.sub(r"[^a-z]", "", name.lower())
    known = dict(_SEXES)
    if letters.endswith("male"):
        yes, no = ("F", "M") if letters.endswith("female") else ("M", "F")
        known.update({**dict.fromkeys(_YES, yes), **dict.fromkeys(_NO, no)})
    words = {cell: tidy(cell).lower() for cell in cells if tidy(cell)}
    if {"h", "hombre", "homme", "mujer"} & set(words.values()):
        del known["m"]  # M is mujer beside H, hombre
    found = Draft({"column": name, "values": {cell: known[word] for cell, word in words.items() if word in known}})
    found.rule["values"].update({cell: "" for cell in cells if cell and cell not in words})
    if left := [cell for cell, word in words.items() if word not in known]:
        found.ask(f"what are {_shown(left)}? Add each to values as M, F or O, or as an empty text if it isn't known")
    return found


def _plain(cells: Sequence[str], target: str, name: str) -> Draft:
    """Return the rule of a column that is taken as it is, where its cells are values of the attribute."""
    found = Draft({"column": name})
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
