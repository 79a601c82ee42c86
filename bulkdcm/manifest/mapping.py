"""A dataset's own table read as a manifest, by a mapping: each column of the manifest says what it is made from.

`bulkdcm help mappings` says how one is written; `mapping_file` reads it. No code is run from it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from bulkdcm.attributes import dictionary
from bulkdcm.errors import ManifestError, SettingsError
from bulkdcm.manifest.found_files import FoundFiles, looked_up, shown
from bulkdcm.manifest.images_of_rows import images, one_row_an_image
from bulkdcm.manifest.mapped import earliest, mapped_column
from bulkdcm.manifest.table import Column, groups, members
from bulkdcm.manifest.templates import Template
from bulkdcm.model import Problem
from bulkdcm.printable import some
from bulkdcm.settings import is_url

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from bulkdcm.manifest.patterns import Pattern
    from bulkdcm.manifest.rule import Rule
    from bulkdcm.manifest.table import Manifest, Ordinals

_BIRTH, _STUDY = "PatientBirthDate", "StudyDate"
_NO_ROWS: Ordinals = np.zeros(0, dtype=np.intp)
_MOST_SHOWN = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnMapping:
    """A mapping file.

    Attributes
    ----------
    path
        The file, for messages.
    title
        What dataset it is of.
    encoding, delimiter
        Of the table; empty for the settings'.
    header
        The names of the table's columns, if it has no line with them.
    keep
        Source column to the cells of rows that are kept; every column has to agree.
    patterns
        What templates and `take` may name.
    rows_per_image
        What becomes of several rows of one image; empty for the settings'.
    unused
        Columns that no rule takes, and why.
    rules
        Manifest column to its rule, in the file's order.
    """

    path: Path
    title: str = ""
    encoding: str = ""
    delimiter: str = ""
    header: tuple[str, ...] | None = None
    keep: dict[str, tuple[str, ...]] = field(default_factory=dict)
    patterns: dict[str, Pattern] = field(default_factory=dict)
    rows_per_image: str = ""
    unused: dict[str, str] = field(default_factory=dict)
    rules: dict[str, Rule] = field(default_factory=dict)


def apply(mapping: ColumnMapping, table: Manifest, images_root: Path, rows_per_image: str = "") -> Manifest:
    """Return the manifest that a mapping makes of a dataset's own table.

    Parameters
    ----------
    mapping
        As `load` gives it.
    table
        The dataset's table as read.
    images_root
        Where files are looked for that a template names in part.
    rows_per_image
        ``first`` or ``join``: what becomes of several rows of one image; the mapping's own if empty.

    Raises
    ------
    ManifestError
        With every value that a rule can't make something certain of: mapping key, lines, value; and with open questions.
    """
    how = rows_per_image or mapping.rows_per_image
    making = _Making(mapping, table, images_root)
    if how == "first":
        making.keep_first()
    making.make(counted=False)
    if how == "join" and not making.problems:
        making.join()
    making.make(counted=True)
    if making.problems:
        raise ManifestError.of(table.path, making.problems)
    return making.manifest()


class _Making:
    """A manifest as it is made of a table.

    Parameters
    ----------
    mapping, table, images_root
        As for `apply`.
    """

    def __init__(self, mapping: ColumnMapping, table: Manifest, images_root: Path) -> None:
        self._mapping = mapping
        self._templates = _checked(mapping, table)
        self._table = _kept(mapping, table)
        self._files = FoundFiles(images_root)
        self._columns: dict[str, Column] = {}
        self.problems = _questions(mapping)

    def manifest(self) -> Manifest:
        """Return what was made."""
        return self._table.of({name: self._columns[name] for name in self._mapping.rules})

    def keep_first(self) -> None:
        """Leave the first row of each image."""
        source = self._made(dictionary.SOURCE, self._mapping.rules[dictionary.SOURCE])
        _, first = np.unique(images([source]), return_index=True)
        self.problems = _questions(self._mapping)
        self._table = self._table.taken(np.sort(first))

    def join(self) -> None:
        """Make one row of the rows of an image."""
        joined, problems = one_row_an_image(self._table.of(self._columns), "join")
        self.problems += problems
        self._columns = joined.columns
        self._table = joined.of({})

    def make(self, *, counted: bool) -> None:
        """Make the columns that are counted, or all others; studies first: a birth of a two-digit year lies before them."""
        for name, rule in sorted(self._mapping.rules.items(), key=lambda item: item[0] != _STUDY):
            if (rule.count is not None) == counted:
                self._columns[name] = self._made(name, rule)

    def _made(self, name: str, rule: Rule) -> Column:
        if rule.count is not None:
            return _counted([self._columns[key] for key in rule.count], rule, len(self._table))
        if rule.templates:
            return self._templated(name, rule)
        if not rule.column:
            return Column.constant(rule.value, len(self._table))
        column = self._table.column(rule.column)
        latest = earliest(column, self._columns[_STUDY]) if name == _BIRTH and _STUDY in self._columns else ()
        return mapped_column(self._table, name, rule, column, self.problems, latest)

    def _templated(self, name: str, rule: Rule) -> Column:
        templates = self._templates[name]
        fields = list(dict.fromkeys(field.column for template in templates for field in template.fields))
        columns = [self._table.column(asked) for asked in fields]
        if not columns or not len(self._table):
            column = Column.constant(self._found(name, list(rule.templates), _NO_ROWS), len(self._table))
            return mapped_column(self._table, name, rule, column, self.problems)
        numbers = groups(columns)
        values = []
        for same in members(numbers):
            cells = {asked: column[int(same[0])] for asked, column in zip(fields, columns, strict=True)}
            try:
                texts = [template.filled(cells) for template in templates]
            except ValueError as error:
                remedy = "Correct the cell or the pattern, or leave the row out with `keep`"
                self._note(name, same, "", str(error), remedy)
                values.append("")
            else:
                values.append(self._found(name, texts, same))
        return mapped_column(self._table, name, rule, Column(numbers, values), self.problems)

    def _found(self, name: str, texts: list[str], rows: Ordinals) -> str:
        """Return the one path that texts name; of a path that isn't to be looked up, the text."""
        if name != dictionary.SOURCE or any(map(is_url, texts)) or not (len(texts) > 1 or looked_up(texts[0])):
            return texts[0]  # the preflight refuses URLs, all of them at once
        found = tuple(dict.fromkeys(path for text in texts for path in self._files.find(text)))
        if len(found) > 1:
            remedy = "Say more of the path in the template, or leave the row out with `keep`"
            self._note(name, rows, texts[0], f"{len(found):,} files are called so: {shown(found)}", remedy)
        return found[0] if len(found) == 1 else texts[0]  # the preflight says that there is none

    def _note(self, name: str, rows: Ordinals, value: str, what: str, remedy: str) -> None:
        rule = f"mapping key columns.{name}: {what}"
        lines = self._table.lines_of(rows)
        self.problems.append(Problem(lines=lines, column=name, value=value, rule=rule, remedy=remedy))


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


def _checked(mapping: ColumnMapping, table: Manifest) -> dict[str, list[Template]]:
    """Return the templates of each column; refuse a mapping that names columns the table hasn't, or that come later."""
    made: list[str] = []
    found: dict[str, list[Template]] = {}
    for name, rule in mapping.rules.items():
        missing = [rule.column] if rule.column and rule.column not in table.columns else []
        try:
            found[name] = [Template.of(text, table.columns, mapping.patterns) for text in rule.templates]
        except KeyError as error:
            missing.append(error.args[0])
        if missing:
            raise _names_none(
                mapping, f"columns.{name}", missing[0], f"the columns of {table.path.name}", table.columns
            )
        if above := [column for column in rule.count or () if column not in made]:
            raise _names_none(mapping, f"columns.{name}", above[0], "the columns above it", made)
        made.append(name)
    for column in mapping.keep:
        if column not in table.columns:
            raise _names_none(mapping, "keep", column, f"the columns of {table.path.name}", table.columns)
    return found


def _names_none(mapping: ColumnMapping, key: str, name: str, of: str, names: Collection[str]) -> SettingsError:
    return SettingsError(
        f"--mapping {mapping.path}: {key} names {name!r}, which is none of {of}: {some(list(names), _MOST_SHOWN)}."
    )


def _kept(mapping: ColumnMapping, table: Manifest) -> Manifest:
    keep = np.ones(len(table), dtype=bool)
    for name, cells in mapping.keep.items():
        keep &= table.column(name).where(partial(_among, frozenset(cells)))
    return table.taken(np.flatnonzero(keep))


def _among(cells: frozenset[str], cell: str) -> bool:
    return cell in cells


def _counted(columns: list[Column], rule: Rule, rows: int) -> Column:
    """Return numbers from the rule's first one within the rows that agree in `columns`, in the order of the file."""
    numbers = groups(columns) if columns else np.zeros(rows, dtype=np.int32)
    order = np.argsort(numbers, kind="stable")
    ordered = numbers[order]
    starts = np.r_[0, np.flatnonzero(ordered[1:] != ordered[:-1]) + 1] if rows else np.zeros(0, dtype=np.intp)
    position = np.arange(rows) - np.repeat(starts, np.diff(np.r_[starts, rows]))
    counts = np.empty(rows, dtype=np.int32)
    counts[order] = position
    told = range(rule.start, rule.start + (int(counts.max()) + 1 if rows else 0))
    return Column(counts, [f"{rule.prefix}{number:0{rule.digits}d}" for number in told])
