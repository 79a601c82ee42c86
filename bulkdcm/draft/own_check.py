"""What ``bulkdcm check`` says of a draft, before anybody gets it."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bulkdcm import manifest, names
from bulkdcm.draft.listing import shown
from bulkdcm.errors import ManifestError, SettingsError
from bulkdcm.objects import offer
from bulkdcm.report import RESERVED
from bulkdcm.settings import Settings
from bulkdcm.stores.catalogue import Catalogue

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from bulkdcm.draft.listing import Listing
    from bulkdcm.draft.options import FolderOptions
    from bulkdcm.model import Problem

    Rows = list[dict[str, str]]
    Fault = tuple[Problem, list[int]]

_REFUSED = "images that `bulkdcm check` would refuse by their {}"
_TO_FILL_IN = "images whose {} you have to fill in ({})"


class RefusedColumn(Exception):  # noqa: N818  # no error: the draft is made again without it
    """A column that a table gave, and that the check refuses: its name, and why."""


@dataclass(frozen=True, slots=True)
class OwnCheck:
    """A draft on its way to a file.

    Attributes
    ----------
    images
        The image root.
    options
        What the draft was made by.
    listing
        Takes what is left out, or is to be said.
    write
        Writes a text, and returns where it is for now.
    joined
        The columns that a table gave.
    """

    images: Path
    options: FolderOptions
    listing: Listing
    write: Callable[[str], Path]
    joined: Collection[str] = field(default_factory=tuple)

    def write_accepted(self, rows: Rows) -> int:
        """Write the rows that the check accepts, note the others, and return how many were written.

        Raises
        ------
        SettingsError
            If an option is at fault, or no row is left.
        RefusedColumn
            Where one of the columns of a table is.
        """
        while True:
            if not rows:
                raise self._nothing()
            faults = self._faults(rows)
            to_fill_in = [fault for fault in faults if _is_empty(rows, fault)]
            left_out = self._left_out(rows, [fault for fault in faults if fault not in to_fill_in])
            if not left_out:
                break
            for ordinal, problem in left_out.items():
                self.listing.note(_REFUSED.format(problem.column), f"{rows[ordinal]['source']} ({problem.rule})")
            rows = [row for ordinal, row in enumerate(rows) if ordinal not in left_out]
        for problem, wrong in to_fill_in:
            rows[0].setdefault(problem.column, "")
            for ordinal in wrong:
                self.listing.say(_TO_FILL_IN.format(problem.column, problem.rule), rows[ordinal]["source"])
        if to_fill_in:
            self.write(_as_csv(rows))
        return len(rows)

    def _faults(self, rows: Rows) -> list[Fault]:
        """Return the errors of a draft, and sources not found by the names it gives them; each with its rows, from 0."""
        draft = self.write(_as_csv(rows))
        settings = Settings(images=self.images, follow_links=self.options.follow_links)
        try:
            read = manifest.read(draft, settings)
        except ManifestError as error:
            raise SettingsError(str(error).replace(str(draft), "the manifest of these images")) from error
        root = names.real(self.images)
        with Catalogue(root, follow_links=self.options.follow_links) as catalogue:
            disk = manifest.Disk(root, catalogue, through=False)  # what is in an archive has just been seen
            read, found = manifest.checked(read, settings, offer(), disk=disk, reserved=RESERVED)
        place = dict(zip(read.lines.tolist(), range(len(read)), strict=True))
        return [
            (problem, [place[line] for line in problem.lines if line in place])
            for problem in found
            if problem.severity == "error" or problem.column == "source"
        ]

    def _left_out(self, rows: Rows, faults: list[Fault]) -> dict[int, Problem]:
        """Return the rows at fault; raise where it isn't their files that are."""
        options = self.options
        given = {name: f"--set {name}={text}" for name, text in options.constants}
        given |= {name: f"--number {name}={start}" for name, start in options.numbers}
        given |= {"PatientName": "--name-from-stem"} if options.name_from_stem else {}
        given = {name: option for name, option in given.items() if f"{{{name}}}" not in options.pattern}
        found: dict[int, Problem] = {}
        for problem, wrong in faults:
            names = [part.column for part in problem.parts or (problem,)]
            if joined := next((name for name in names if name in self.joined), ""):
                raise RefusedColumn(joined, problem.what)
            if problem.column in given or not wrong:
                such = f", as that of {shown(rows[wrong[0]]['source'])}" if wrong else ""
                about = given.get(problem.column, f"column {problem.column}" if problem.column else "the options")
                msg = f"{about}: `bulkdcm check` would refuse such rows{such}: {problem.what}"
                raise SettingsError(msg)
            for ordinal in wrong:
                found.setdefault(ordinal, problem)
        return found

    def _nothing(self) -> SettingsError:
        left = "; ".join(self.listing.notes())
        return SettingsError(
            f"{self.images}: no image in it. Name the folder that holds the PNG or JPEG files."
            + (f" ({left})" if left else "")
        )


def _is_empty(rows: Rows, fault: Fault) -> bool:
    """Return whether a fault is an empty cell, which the user can fill in."""
    problem, wrong = fault
    return bool(problem.column and wrong) and not any(rows[ordinal].get(problem.column) for ordinal in wrong)


def _as_csv(rows: Rows) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, names, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
