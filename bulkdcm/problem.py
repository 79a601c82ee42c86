"""What is wrong in a manifest: found cell by cell, told once a cause."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Literal

from bulkdcm.printable import some, visible
from bulkdcm.surface import in_arguments

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_ORDER = {"error": 0, "warning": 1, "note": 2}
_LINES_SHOWN, _SAMPLES, _CHARS_SHOWN = 3, 3, 80
# What of a rule's text is of one cell, and not of the rule: values and numbers, but not those of the Standard's sections.
_OF_ONE_CELL = re.compile(
    r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|(?<![\w.])(?:\d{3}[DWMY]\b|[-+]?\d[\d,]*(?:\.\d+)?(?![\w.]*\w))"""
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing wrong in a manifest, with every line it stands on and what to do.

    ``str`` of it speaks of arguments, as a caller in Python writes them; `text` of options.

    Attributes
    ----------
    lines
        Lines of the CSV file it stands on (the header is line 1), ascending; empty where it concerns the whole file.
    column
        Name of the column, or an empty string; of several columns with the same fault on the same lines, all of them.
    value
        The offending value, as read; of several, the first.
    rule
        The rule broken, with the part of the Standard it comes from where there is one.
    remedy
        What the user can do.
    severity
        An ``error`` stops the run (or, with ``skip_invalid``, fails the rows); a ``warning`` is only said; a ``note`` tells
        how the table was read.
    option
        Where the value doesn't come from the file but from an option: that, as ``--set Modality``.
    parts
        The problems of single values and columns that this one tells together, in the order of their lines; else empty.
    """

    rule: str
    remedy: str
    lines: tuple[int, ...] = ()
    column: str = ""
    value: str = ""
    severity: Literal["error", "warning", "note"] = "error"
    option: str = ""
    parts: tuple[Problem, ...] = ()

    def __str__(self) -> str:
        return in_arguments(self.text)

    @property
    def text(self) -> str:
        """The whole in one line: where, what, and what to do."""
        return visible(f"{self.where}: {self.what}" if self.where else self.what)

    @property
    def where(self) -> str:
        """Option, lines and columns, as ``lines 3, 5, 7 and 1,012 more, column PatientSex``."""
        parts = [self.option] if self.option else []
        if self.lines:
            parts.append(f"line{'s' if len(self.lines) > 1 else ''} {some(self.lines, _LINES_SHOWN)}")
        columns = list(dict.fromkeys(part.column for part in self.parts)) or [self.column]
        if columns != [""] and not self.option:
            parts.append(f"column{'s' if len(columns) > 1 else ''} {some(columns, 2 * _SAMPLES)}")
        return visible(", ".join(parts))

    @property
    def what(self) -> str:
        """Values, rule and remedy: where rules tell a cell apart, that of the first, with the others counted."""
        parts = self.parts or (self,)
        rule, remedy, counts = self.rule, self.remedy, _counts(parts)
        shown = ""
        if any(part.rule != self.rule for part in parts):
            shown, rule = _quoted(self.value), f"{rule}, and {len(parts) - 1:,} more like it"
        elif counts:
            shown = some([_quoted(value, times) for value, times in islice(counts.items(), _SAMPLES)], _SAMPLES)
            if more := len(counts) - _SAMPLES:
                shown += f" and {more:,} more values" if more > 0 else ""
            remedy = _remedies(parts)
        return visible(f"{shown}{': ' if shown else ''}{rule}. {remedy}".strip())


def _quoted(value: str, times: int = 1) -> str:
    shown = repr(value[:_CHARS_SHOWN]) if value else ""
    return f"{shown} ({times:,} times)" if times > 1 else shown


def _counts(parts: Sequence[Problem]) -> dict[str, int]:
    """Return on how many lines each value stands; of a single one nobody need count them."""
    counts: dict[str, int] = {}
    for part in parts:
        if part.value:
            counts[part.value] = counts.get(part.value, 0) + len(part.lines)
    return counts if len(counts) > 1 else dict.fromkeys(counts, 1)


def _remedies(parts: Sequence[Problem]) -> str:
    """Return the remedy of all values; where they differ, those of some."""
    found: dict[str, str] = {}
    for part in parts:
        found.setdefault(part.remedy, part.value)
    if len(found) == 1:
        return parts[0].remedy
    told = [f"for {_quoted(value)}: {remedy.rstrip('.')}" for remedy, value in islice(found.items(), _SAMPLES)]
    return "; ".join(told)[:1].upper() + "; ".join(told)[1:]


def gathered(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Return problems with those of one cause as one, in linear time: the same rule and column, whatever the values.

    Columns that have the same fault on the same lines without a value of their own are one cause too. Problems are gathered
    again with others without loss: `Problem.parts` keeps each.
    """
    groups: dict[tuple[object, ...], list[Problem]] = {}
    for problem in (part for each in problems for part in each.parts or (each,)):
        groups.setdefault((problem.severity, problem.option, problem.column, cause(problem.rule)), []).append(problem)
    columns: dict[tuple[object, ...], list[Problem]] = {}
    for key, group in groups.items():
        valueless = not any(problem.value for problem in group)
        lines = {line for problem in group for line in problem.lines} if valueless else ()
        where = tuple(sorted(lines)) if lines else key[2]
        columns.setdefault((*key[:2], where, key[3]), []).extend(group)
    return tuple(map(_one, columns.values()))


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """Return problems gathered, errors before warnings before notes, in the order of their lines."""
    return sorted(gathered(problems), key=lambda problem: (_ORDER[problem.severity], problem.lines[:1]))


def cause(text: str) -> str:
    """Return what messages of one cause share: the text without the values and numbers of one cell."""
    return _OF_ONE_CELL.sub("…", text)


def unnamed(text: str, names: Iterable[str | None]) -> str:
    """Return the cause that a message tells, without some names in it."""
    for name in filter(None, names):
        text = text.replace(name, "…")
    return cause(text)


def _one(group: Sequence[Problem]) -> Problem:
    if len(group) == 1:
        return group[0]
    parts = tuple(sorted(group, key=lambda problem: problem.lines[:1]))
    lines = tuple(sorted({line for part in parts for line in part.lines}))
    columns = dict.fromkeys(part.column for part in parts)
    return replace(parts[0], lines=lines, column=", ".join(columns), parts=parts)
