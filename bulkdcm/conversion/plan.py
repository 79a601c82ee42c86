"""What is left to do of a manifest: which rows run, and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bulkdcm.ledger.schema import UNCHANGED as UNCHANGED  # noqa: PLC0414  # one of the reasons

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bulkdcm.conversion.fingerprints import Fingerprints


NEW, FAILED, SETTINGS, SCHEMA, METADATA, SOURCE, MISSING, ALTERED, REFERENCE = (
    "new",
    "failed before",
    "settings changed",
    "schema changed",
    "metadata changed",
    "source changed",
    "output missing",
    "output altered",
    "reference changed",
)
DONE, GONE = "", "gone from the manifest"


@dataclass(slots=True, kw_only=True)
class Plan:
    """Which rows run, and why.

    Attributes
    ----------
    reasons
        For each row of the manifest, why it runs; empty where it is done.
    attempts
        For each row, how often it has been tried.
    outputs
        For each row, the output it has from an earlier run, also where it failed since; empty where there is none.
    known
        By what each row is known again, and known to be the same.
    followers
        Rows that are second, third … frame of an object, which runs as its first.
    moves
        (old, new) ordinals of rows that moved; the new one is negative for rows that are no longer in the manifest.
    orphaned
        Outputs of rows that are no longer in the manifest.
    missing
        Rows converted before whose source isn't there.
    exchanged
        Rows converted before whose source holds other bytes now, or may; only where the plan was to look.
    before
        How many rows have been converted before.
    depends
        Rows that other rows' objects refer to, by the latter; only of kinds that refer.
    touched
        Version of sources that have another than before and the same bytes.
    """

    reasons: list[str]
    attempts: list[int]
    outputs: list[str]
    known: Fingerprints
    followers: frozenset[int] = frozenset()
    moves: list[tuple[int, int]] = field(default_factory=list)
    orphaned: set[str] = field(default_factory=set)
    missing: list[int] = field(default_factory=list)
    exchanged: list[int] = field(default_factory=list)
    before: int = 0
    depends: dict[int, tuple[int, ...]] = field(default_factory=dict)
    touched: dict[int, int | str] = field(default_factory=dict)

    def todo(self, *, retry_failed: bool | None) -> list[int]:
        """Return the ordinals of the rows to run; of several frames of one object, the first."""
        left = {None: {DONE, UNCHANGED}, True: {DONE}, False: {DONE, UNCHANGED, FAILED}}[retry_failed]
        return [o for o, reason in enumerate(self.reasons) if reason not in left and o not in self.followers]

    def fingerprints(self, ordinals: Sequence[int]) -> tuple[list[int], list[int], list[int], list[str], list[int]]:
        """Return what the ledger keeps of some rows to know them again, as columns in the order of `Fingerprint`."""
        identities, hashes, schemas = (
            numbers[ordinals].tolist() for numbers in (self.known.identities, self.known.metadata, self.known.schemas)
        )
        reasons = [self.reasons[ordinal] for ordinal in ordinals]
        told = [FAILED if reason == UNCHANGED else reason for reason in reasons]
        return identities, hashes, schemas, told, [self.attempts[ordinal] + 1 for ordinal in ordinals]
