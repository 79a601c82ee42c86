"""What a verification found: findings by kind, what was proved and by what, and what was not; as JSON, too."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import IO, TYPE_CHECKING, Any

from bulkdcm._version import __version__
from bulkdcm.printable import ERRORS, visible
from bulkdcm.proof.kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

MOST_KEPT = 20_000
"""Findings of one kind that are kept; more of them are counted."""
_ORDER = {kind: place for place, kind in enumerate(KINDS)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing wrong, or undecided.

    Attributes
    ----------
    kind
        A key of `KINDS`.
    path
        The file, relative to the output folder.
    where
        The attribute, or the part of the file.
    what
        What was found.
    line
        Of the manifest; 0 if it isn't known.
    """

    kind: str
    path: str
    where: str
    what: str
    line: int = 0

    def __str__(self) -> str:
        return visible(f"{self.path}: {self.where}: {self.what}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What was found in an output folder.

    Attributes
    ----------
    out
        The folder.
    files
        How many files were looked at.
    proved
        How many of them have no finding, and were compared with a row of the manifest.
    findings
        In the order of their kinds and files; of each kind `MOST_KEPT` at most.
    counts
        How many there are of each kind.
    by
        What decided, and how often.
    notes
        What was not proved, and why.
    run_started_at
        When the run that was proved began (ISO 8601); empty if no ledger says it.
    elapsed_s, ended_at
        Wall time; and when it ended (ISO 8601).
    interrupted
        128 and the number of the signal that ended it; else 0.
    """

    out: str
    files: int = 0
    proved: int = 0
    findings: tuple[Finding, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    by: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    run_started_at: str = ""
    elapsed_s: float = 0.0
    ended_at: str = ""
    interrupted: int = 0

    @property
    def ok(self) -> bool:
        """Whether nothing was found, and it came to its end."""
        return not self.counts and not self.interrupted

    @property
    def exit_code(self) -> int:
        """0: nothing was found; 1: something was; 130, 143: interrupted."""
        return self.interrupted or int(not self.ok)

    @property
    def files_at_fault(self) -> int:
        """How many files have a finding, of those that are kept."""
        return len({finding.path for finding in self.findings})

    def summary(self) -> dict[str, Any]:
        """Return all of it, for JSON."""
        return {
            "bulkdcm": __version__,
            "out": self.out,
            "complete": not self.interrupted,
            "ok": self.ok,
            "files": self.files,
            "proved": self.proved,
            "run_started_at": self.run_started_at,
            "elapsed_s": round(self.elapsed_s, 3),
            "ended_at": self.ended_at,
            "kinds": {
                kind: {"count": self.counts[kind], **KINDS[kind]._asdict()} for kind in KINDS if self.counts.get(kind)
            },
            "by": dict(sorted(self.by.items())),
            "notes": list(self.notes),
            "findings": [asdict(finding) for finding in self.findings],
        }

    def write(self, file: IO[bytes]) -> None:
        """Write it as JSON."""
        file.write((json.dumps(self.summary(), indent=1, ensure_ascii=False) + "\n").encode("utf-8", ERRORS))


def recognise(path: Path) -> bool:
    """Whether a regular file is a verification of ours, which another may replace."""
    try:
        found = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and found.keys() >= {"bulkdcm", "kinds", "findings"}


class Gathering:
    """Findings as they come."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._kept: dict[str, list[Finding]] = {}

    def add(self, findings: Iterable[Finding]) -> None:
        """Take findings in."""
        for finding in findings:
            self.counts[finding.kind] += 1
            kept = self._kept.setdefault(finding.kind, [])
            if len(kept) < MOST_KEPT:
                kept.append(finding)

    def of(self, kind: str) -> list[Finding]:
        """Return the findings of a kind that are kept."""
        return self._kept.get(kind, [])

    def replace(self, old: Finding, new: Finding) -> None:
        """Put a finding in the place of another."""
        self._kept[old.kind].remove(old)
        self.counts[old.kind] -= 1
        self.add([new])

    def sorted(self) -> tuple[Finding, ...]:
        """Return those that are kept, by kind and file."""
        every = (finding for kept in self._kept.values() for finding in kept)
        return tuple(sorted(every, key=lambda f: (_ORDER[f.kind], f.path, f.where, f.what)))
