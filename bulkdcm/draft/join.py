"""Columns of a table for the images of a folder: what is certain of them comes in, and all else is said."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from bulkdcm.draft import cells_of
from bulkdcm.draft.listing import shown
from bulkdcm.draft.match import fields_of_pattern, matched
from bulkdcm.draft.proposal import by_names
from bulkdcm.errors import ManifestError
from bulkdcm.manifest import Column, Manifest
from bulkdcm.manifest.conversions import converted
from bulkdcm.manifest.readers import Form, read_table
from bulkdcm.problem import Problem
from bulkdcm.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from bulkdcm.draft.listing import Listing
    from bulkdcm.draft.options import FolderOptions

    Rows = list[dict[str, str]]

_SHARED = "images that share their line of {} with another: each has its cells"
_NO_LINE = "images without a line in {}: their cells are empty"
_NO_IMAGE = "lines of {} without an image"


class Join:
    """What a table says of images.

    Parameters
    ----------
    path
        The table.
    rows
        The images, as drafted without it.
    options
        How the folder is read.

    Raises
    ------
    ManifestError
        If the table can't be read, or has lines for one image that differ.
    SettingsError
        If ``--on`` can't be used, or nothing matches.

    Attributes
    ----------
    columns
        Manifest column to the table's that it is made from.
    """

    def __init__(self, path: Path, rows: Rows, options: FolderOptions) -> None:
        form = Form(encoding=Settings(encoding=options.encoding).encoding, foreign=True)
        self._table, self._name = read_table(path, form), shown(path.name)
        self._match = matched(self._table, rows, options)
        ordinals = [ordinal for lines in self._match.lines.values() for ordinal in lines]
        self._part = _part(self._table, ordinals)
        self.columns: dict[str, str] = {}
        self._left_out: dict[str, str] = {}
        self._texts: dict[str, list[str]] = {}
        ends = np.cumsum([0, *map(len, self._match.lines.values())]).tolist()
        self._spans = dict(zip(self._match.lines, itertools.pairwise(ends), strict=True))
        # What options make of each file stays; the one value for all is for empty cells.
        constant = {name for name, _ in options.constants} - set(fields_of_pattern(options))
        self._convert(set(rows[0]) - constant)
        self._refuse_contradictions()

    def leave_out(self, target: str, why: str) -> None:
        """Leave a column out after all."""
        self._left_out[self.columns.pop(target)] = f"as {target}, `bulkdcm check` would refuse it: {why}"
        del self._texts[target]

    def fill(self, rows: Rows, listing: Listing) -> None:
        """Give each image the cells of its line, and note those that have none."""
        shared = Counter(self._match.keys)
        for row, key in zip(rows, self._match.keys, strict=True):
            place, _ = self._spans.get(key, (-1, 0))
            for target, texts in self._texts.items():
                row[target] = (texts[place] if place >= 0 else "") or row.get(target, "")
            if place < 0:
                listing.say(_NO_LINE.format(self._name), row["source"])
            elif shared[key] > 1:
                listing.say(_SHARED.format(self._name), row["source"])
        used = {ordinal for lines in self._match.lines.values() for ordinal in lines}
        column = self._table.column(self._match.column)
        for ordinal in range(len(self._table)):
            if ordinal not in used:
                line = f"line {self._table.lines[ordinal]}"
                listing.say(_NO_IMAGE.format(self._name), f"{column[ordinal]} ({line})" if column[ordinal] else line)

    def notes(self) -> list[str]:
        """Return what came of the table's columns: what is made of them, what is left out and why, what isn't used."""
        key = self._match.column
        made = ", ".join(f"{target} ({shown(name)})" for target, name in self.columns.items()) or "nothing"
        lines = [f"from {self._name}, by its column {shown(key)}: {made}"]
        lines += [f"left out: column {shown(name)} of {self._name}: {why}" for name, why in self._left_out.items()]
        if self._left_out:
            lines.append(
                f"a mapping can say what such columns mean: `bulkdcm init --from {self._name} --out mapping.toml`"
            )
        told = {key, *self.columns.values(), *self._left_out}
        unused = [shown(name) for name in self._table.columns if name and name not in told]
        return lines + ([f"not used of {self._name}: {', '.join(unused)}"] if unused else [])

    def _convert(self, given: Collection[str]) -> None:
        """Make the columns that are certain in all lines of images; note why others aren't."""
        found = by_names(self._part)
        source = found.used.pop("source", "")
        for target, name in found.used.items():
            if target in given:
                why = f"{target} is given by an option"
            elif target in found.vague:
                why = f"it may be {target} or something else"
            else:
                draft = cells_of.draft(self._part, target, name, found.used.get("StudyDate", ""))
                if others := found.rivals[target]:
                    draft.ask(f"{' and '.join(map(shown, others))} may be {target} too")
                why = "; ".join(draft.questions).replace("this table", "a mapping")
                if not why:
                    self._take(target, name, draft, found.used.get("StudyDate", ""))
            if why and name not in {source, self._match.column}:
                self._left_out[name] = why

    def _take(self, target: str, name: str, draft: cells_of.Draft, study: str) -> None:
        column = self._part.column(name)
        latest = cells_of.studies_of(self._part, column, study) if target == "PatientBirthDate" and study else ()
        made = list(
            map(str, converted(column.values, draft.as_rule, latest))
        )  # a draft without questions has no doubts
        self.columns[target] = name
        self._texts[target] = [made[code].strip(" ") for code in column.codes.tolist()]

    def _refuse_contradictions(self) -> None:
        """Refuse lines for one image that differ in what is taken of them."""
        wrong: list[str] = []
        differing: dict[str, None] = {}
        for key, (start, end) in self._spans.items():
            names = [self.columns[target] for target, texts in self._texts.items() if len({*texts[start:end]}) > 1]
            if names:
                wrong.append(key)
                differing |= dict.fromkeys(names)
        if wrong:
            ordinals = sorted(ordinal for key in wrong for ordinal in self._match.lines[key])
            rule = f"{len(wrong):,} such keys of images are on several lines, with different cells in {', '.join(differing)}"
            problem = Problem(
                lines=self._table.lines_of(ordinals),
                column=self._match.column,
                value=wrong[0],
                rule=rule if len(wrong) > 1 else rule.replace("1 such keys of images are", "the key of an image is"),
                remedy="Leave one line for each image, or write a manifest with one line for each image by hand",
            )
            raise ManifestError.of(self._table.path, [problem])


def _part(table: Manifest, ordinals: list[int]) -> Manifest:
    """Return some lines of a table, with the cells that are on them and no others."""
    columns = {
        name: Column.of([column.values[code] for code in column.codes[ordinals].tolist()])
        for name, column in table.columns.items()
    }
    return Manifest(table.path, columns, table.lines[ordinals])
