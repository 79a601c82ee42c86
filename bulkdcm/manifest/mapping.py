"""A dataset's own CSV read as a manifest, by a mapping: each column of the manifest says what it is made from.

A rule is a text (a constant) or a table with one of `column`, `template`, `count`, `value`, and what to do with the cell:
`take` (a regular expression with one group), `values` (a table), `as` (age, date, time, number) with what it can't know by
itself (`formats`, `first_year`, `unit`, `units`, `round`, `decimal`), `empty`, `else`; and a `question` that is still open.
No code is run from it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from bulkdcm.errors import ManifestError, SettingsError
from bulkdcm.manifest.found_files import FoundFiles
from bulkdcm.manifest.mapped import earliest, mapped_column
from bulkdcm.manifest.table import Column, Manifest, groups, members
from bulkdcm.model import Problem
from bulkdcm.settings import is_url

if TYPE_CHECKING:
    from pathlib import Path

    from bulkdcm.manifest.rule import Rule

_BIRTH, _STUDY = "PatientBirthDate", "StudyDate"
_FIELD = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnMapping:
    """A mapping file.

    Attributes
    ----------
    path
        The file, for messages.
    encoding
        Of the CSV; empty for the settings'.
    keep
        Source column to the cells of rows that are kept; every column has to agree.
    rules
        Manifest column to its rule, in the file's order.
    """

    path: Path
    encoding: str = ""
    keep: dict[str, tuple[str, ...]] = field(default_factory=dict)
    rules: dict[str, Rule] = field(default_factory=dict)


def apply(mapping: ColumnMapping, table: Manifest, images_root: Path) -> Manifest:
    """Return the manifest that a mapping makes of a dataset's own table.

    Parameters
    ----------
    mapping
        As `load` gives it.
    table
        The dataset's CSV as read.
    images_root
        Where files that a template with ``.*`` names are looked for.

    Raises
    ------
    ManifestError
        With every value that a rule can't make something certain of: mapping key, lines, value; and with open questions.
    """
    _check_columns(mapping, table)
    table = _kept(mapping, table)
    problems = _questions(mapping)
    columns: dict[str, Column] = {}
    files = FoundFiles(images_root)
    # Studies first: a birth of a two-digit year lies before them.
    for name, rule in sorted(mapping.rules.items(), key=lambda item: item[0] != _STUDY or item[1].count is not None):
        if rule.count is not None:
            columns[name] = _counted([columns[key] for key in rule.count], len(table))
        elif rule.template:
            columns[name] = _templated(table, name, rule, files, problems)
        elif rule.column:
            column = table.column(rule.column)
            latest = earliest(column, columns[_STUDY]) if name == _BIRTH and _STUDY in columns else ()
            columns[name] = mapped_column(table, name, rule, column, problems, latest)
        else:
            columns[name] = Column.constant(rule.value, len(table))
    if problems:
        raise ManifestError.of(table.path, problems)
    return Manifest(table.path, {name: columns[name] for name in mapping.rules}, table.lines)


def _questions(mapping: ColumnMapping) -> list[Problem]:
    return [
        Problem(
            column=name,
            rule=f"mapping key columns.{name}: an open question: {rule.question.rstrip('. ')}",
            remedy=f"Answer it there, and take `question` out of {mapping.path.name}",
        )
        for name, rule in mapping.rules.items()
        if rule.question
    ]


def _check_columns(mapping: ColumnMapping, table: Manifest) -> None:
    """Refuse a mapping that names columns the CSV hasn't, or counts by columns that come later."""
    made: set[str] = set()
    for name, rule in mapping.rules.items():
        asked = [rule.column] if rule.column else _FIELD.findall(rule.template)
        missing = [column for column in asked if column not in table.columns]
        missing += [column for column in rule.count or () if column not in made]
        if missing:
            of = "the columns above it" if rule.count is not None else f"the columns of {table.path.name}"
            msg = (
                f"--mapping {mapping.path}: columns.{name} names {missing[0]!r}, which is none of {of}: "
                f"{', '.join(made if rule.count is not None else table.columns)}."
            )
            raise SettingsError(msg)
        made.add(name)
    for column in mapping.keep:
        if column not in table.columns:
            msg = f"--mapping {mapping.path}: keep names {column!r}, which is none of the columns of {table.path.name}."
            raise SettingsError(msg)


def _kept(mapping: ColumnMapping, table: Manifest) -> Manifest:
    keep = np.ones(len(table), dtype=bool)
    for name, cells in mapping.keep.items():
        keep &= table.column(name).where(partial(_among, frozenset(cells)))
    columns = {name: Column(column.codes[keep], column.values) for name, column in table.columns.items()}
    return Manifest(table.path, columns, table.lines[keep])


def _among(cells: frozenset[str], cell: str) -> bool:
    return cell in cells


def _templated(table: Manifest, name: str, rule: Rule, files: FoundFiles, problems: list[Problem]) -> Column:
    fields = _FIELD.findall(rule.template)
    columns = [table.column(asked) for asked in fields]
    if not columns or not len(table):
        return Column.constant(rule.template, len(table))
    numbers = groups(columns)
    values = []
    for same in members(numbers):
        cells = {asked: column[int(same[0])] for asked, column in zip(fields, columns, strict=True)}
        text = _FIELD.sub(lambda match, cells=cells: cells[match[1]], rule.template)  # type: ignore[misc]  # a default binds the loop's value
        problem = ""
        if text.endswith(".*") and not is_url(text):  # which the preflight refuses, all of them at once
            text, problem = files.find(text)
        if problem:
            problems.append(
                Problem(
                    lines=table.lines_of(same),
                    column=name,
                    value=text,
                    rule=f"mapping key columns.{name}: {problem}",
                    remedy="Correct the template, name the folder with --images, or leave the row out with `keep`",
                )
            )
        values.append(text)
    return mapped_column(table, name, rule, Column(numbers, values), problems)


def _counted(columns: list[Column], rows: int) -> Column:
    """Return 1, 2, 3 … within the rows that agree in `columns`, in the order of the file."""
    numbers = groups(columns) if columns else np.zeros(rows, dtype=np.int32)
    order = np.argsort(numbers, kind="stable")
    ordered = numbers[order]
    starts = np.r_[0, np.flatnonzero(ordered[1:] != ordered[:-1]) + 1] if rows else np.zeros(0, dtype=np.intp)
    position = np.arange(rows) - np.repeat(starts, np.diff(np.r_[starts, rows]))
    counts = np.empty(rows, dtype=np.int32)
    counts[order] = position
    return Column(counts, [str(number + 1) for number in range(int(counts.max()) + 1 if rows else 0)])
