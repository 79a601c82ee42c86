"""Outputs that would take the place of files that must stay: all of them gathered, and one message a cause."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from bulkdcm.model import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bulkdcm.manifest import Manifest

_EXAMPLES = 3


class Owner(StrEnum):
    """Whose a file is that lies where an output will go."""

    OURS = "the run's to replace"
    READ = "read by the run"
    ROWS = "another row's"
    ORPHANED = "of a row that is gone"
    FOREIGN = "nobody's that is known"


class Collisions:
    """Rows at fault, a kind of fault at a time."""

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        self.reports: list[str] = []
        self._rows: dict[tuple[Owner, str], list[int]] = {}
        self._all: set[int] = set()

    def add(self, kind: Owner, what: str, ordinal: int) -> None:
        """Note a row; sources are told together, whichever they are."""
        self._rows.setdefault((kind, what), []).append(ordinal)
        self._all.add(ordinal)

    def has(self, ordinal: int) -> bool:
        """Whether a row is at fault."""
        return ordinal in self._all

    def problems(self, *, overwrite: bool) -> Iterator[Problem]:
        """Yield a problem for each kind."""
        for rule in self.reports:
            yield Problem(rule=rule, remedy="Name another folder with --out")
        sources = [(what, rows) for (kind, what), rows in self._rows.items() if what.startswith("the source")]
        if sources:
            first = sources[0][0]
            more = f", and {len(sources) - 1} more like it" if len(sources) > 1 else ""
            rows = sorted(ordinal for _, members in sources for ordinal in members)
            yield self._problem(
                rows,
                f"the output would take the place of {first}{more}",
                "Name another folder with --out, or other names in the `output` column",
            )
        for (kind, what), rows in self._rows.items():
            if kind == Owner.READ and not what.startswith("the source"):
                yield self._problem(
                    rows,
                    f"the output would take the place of {what}",
                    "Give the row another name in the `output` column, or name another folder with --out",
                )
        if rows := self._rows.get((Owner.ORPHANED, ""), []):
            yield self._problem(
                rows,
                f"{_files(rows)} at this place {_are(rows)} of a row that is no longer in the manifest",
                "Give the row another name in the `output` column, or give up the outputs of rows that are gone with --prune",
            )
        if rows := self._rows.get((Owner.FOREIGN, ""), []):
            names = ", ".join(self._manifest.column("output")[ordinal] for ordinal in rows[:_EXAMPLES])
            remedy = (
                "Move folders and links away"
                if overwrite
                else "Name another folder with --out, or replace files with --overwrite. If an earlier run made them and "
                "its ledger is gone, `bulkdcm rebuild` knows them again"
            )
            yield self._problem(
                rows, f"{_files(rows)} in --out that no ledger knows would be replaced: {names}"[:400], remedy
            )

    def _problem(self, rows: Sequence[int], rule: str, remedy: str) -> Problem:
        return Problem(
            lines=self._manifest.lines_of(rows),
            column="output",
            value=self._manifest.column("output")[rows[0]],
            rule=rule,
            remedy=remedy,
        )


def _files(rows: Sequence[int]) -> str:
    return "1 file" if len(rows) == 1 else f"{len(rows):,} files"


def _are(rows: Sequence[int]) -> str:
    return "is that" if len(rows) == 1 else "are those"
