"""Some files of a ledger as they travel to workers, and what comes back."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bulkdcm.part import Part
    from bulkdcm.proof.verification import Finding


class Entry(NamedTuple):
    """One file.

    Attributes
    ----------
    number
        By which it is known to the engines.
    records
        What the ledger has of its row, or of all rows that are its frames.
    row
        Place among the rows of the lot; -1 if the manifest isn't known, or has none.
    same
        Whether the row's cells and the rules of its bytes are those that it was converted with.
    stamp
        Of an interrupted verification in which nothing was found; 0 for none.
    """

    number: int
    records: tuple[dict[str, Any], ...]
    row: int
    same: tuple[bool, bool]
    stamp: int


@dataclass(frozen=True, slots=True)
class Lot:
    """Entries as they travel to workers. Iterating over it gives their numbers."""

    entries: tuple[Entry, ...]
    part: Part | None

    def __iter__(self) -> Iterator[int]:
        return iter([entry.number for entry in self.entries])


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is to be looked at.

    Attributes
    ----------
    sources
        Whether sources are read and decoded.
    dciodvfy
        The program; empty for none.
    """

    sources: bool = True
    dciodvfy: str = ""


@dataclass(slots=True, kw_only=True)
class Proofs:
    """What became of a lot.

    Attributes
    ----------
    findings
        In its files.
    files, proved, at_fault
        How many were looked at, how many are right and were compared with their rows, and how many have findings.
    stamps
        Of files in which nothing was found, by the ordinals of their rows.
    again
        How many of them an interrupted verification had looked at.
    by
        What decided.
    """

    findings: list[Finding] = field(default_factory=list)
    files: int = 0
    proved: int = 0
    at_fault: int = 0
    stamps: dict[int, int] = field(default_factory=dict)
    again: int = 0
    by: Counter[str] = field(default_factory=Counter)
