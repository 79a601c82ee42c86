"""What a run is to do, decided before it changes anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bulkdcm.conversion.plan import UNCHANGED
from bulkdcm.printable import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bulkdcm.conversion.outcome import Failed
    from bulkdcm.conversion.places import Places
    from bulkdcm.conversion.plan import Plan
    from bulkdcm.manifest import Manifest
    from bulkdcm.model import Replaceable


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What a run is to do.

    Attributes
    ----------
    rows
        The manifest, resolved.
    plan
        What is left of it.
    levels
        Ordinals of the rows that run, in the order of their making: none refers to one of its own or a later level.
    invalid
        Rows that the preflight found at fault, which fail.
    takes
        What rows may replace, by their ordinals.
    ours
        Names whose files an earlier run left behind, and that are no row's.
    places
        The output folder before the run.
    """

    rows: Manifest
    plan: Plan
    levels: Sequence[Sequence[int]]
    invalid: Sequence[Failed]
    takes: Mapping[int, Replaceable]
    ours: set[str]
    places: Places

    @property
    def count(self) -> int:
        """How many rows run."""
        return sum(map(len, self.levels))

    def unchanged(self) -> list[int]:
        """Return the rows that don't run since they would fail as they did before."""
        running = {ordinal for level in self.levels for ordinal in level}
        return [o for o, reason in enumerate(self.plan.reasons) if reason == UNCHANGED and o not in running]

    def notes(self) -> list[str]:
        """Return what the user should know of rows that did not run."""
        count = len(self.unchanged())
        return (
            [f"failed before, unchanged: {counted(count, 'row')}, not tried again; --retry-failed tries them"]
            if count
            else []
        )

    def given_uids(self) -> frozenset[str]:
        """Return the SOP Instance UIDs that rows name, where other rows leave theirs to be derived; else none."""
        column = self.rows.column("SOPInstanceUID")
        return frozenset(column.values) - {""} if "" in column.values else frozenset()
