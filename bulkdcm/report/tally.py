"""What is counted over all rows of a report, a block at a time."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import compress
from typing import TYPE_CHECKING, Any

from bulkdcm.problem import unnamed
from bulkdcm.report.columns import STAGES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bulkdcm.ledger.block import Block

_EXAMPLES, _CAUSES = 3, 100
SIZES = ("source_size_bytes", "output_size_bytes")


@dataclass(slots=True)
class Cause:
    """Failed rows whose messages differ only in names and numbers.

    Attributes
    ----------
    stage, error
        Where they failed, and the class of the error.
    told
        What their messages share: no name, no value and no number of any of them.
    rows
        How many.
    lines, examples
        Of the first of them.
    """

    stage: str
    error: str
    told: str
    rows: int = 0
    lines: list[int] = field(default_factory=list)
    examples: list[str] = field(default_factory=list)


class Tally:
    """Counts, sums and causes of failures.

    Parameters
    ----------
    ran
        For each row whether this run converted or failed it.

    Attributes
    ----------
    statuses
        How many rows have each status.
    ran_statuses
        How many of those that ran.
    sizes_bytes
        Of what this run converted, by the column's name.
    spent_s
        Of what this run converted or failed, by the stage's column.
    earlier_kept
        How many rows failed and have an earlier output.
    """

    def __init__(self, ran: Sequence[int]) -> None:
        self._ran, self._at = ran, 0
        self.statuses: Counter[str] = Counter()
        self.ran_statuses: Counter[str] = Counter()
        self.sizes_bytes: Counter[str] = Counter(dict.fromkeys(SIZES, 0))
        self.spent_s: dict[str, float] = dict.fromkeys(STAGES, 0.0)
        self.earlier_kept = 0
        self._causes: dict[tuple[str, str, str], Cause] = {}

    def take(self, block: Block) -> None:
        """Count the next rows."""
        ran = self._ran[self._at : self._at + block.count]
        self._at += block.count
        self.statuses.update(counted(block, "status"))
        if block.same.get("earlier_source_sha256", "") is not None:
            self.earlier_kept += sum(sha256 is not None for sha256 in block["earlier_source_sha256"])
        if "failed" in block["status"]:
            self._take_failures(block)
        if not any(ran):
            return
        block = block if all(ran) else block.where(ran)
        self.ran_statuses.update(counted(block, "status"))
        for name in STAGES:
            self.spent_s[name] += sum(filter(None, block[name]))
        converted = [status == "converted" for status in block["status"]]
        for name in SIZES:
            self.sizes_bytes[name] += sum(filter(None, compress(block[name], converted)))

    @property
    def failures(self) -> list[dict[str, Any]]:
        """Failed rows by cause, the most frequent first."""
        return [
            {
                "stage": cause.stage,
                "error": cause.error,
                "rows": cause.rows,
                "lines": cause.lines,
                "examples": cause.examples,
            }
            for cause in self.causes[:_CAUSES]
        ]

    @property
    def causes(self) -> list[Cause]:
        """Why rows failed, the most frequent first."""
        return sorted(self._causes.values(), key=lambda found: -found.rows)

    def _take_failures(self, block: Block) -> None:
        failed = block.where([status == "failed" for status in block["status"]])
        columns = (failed[name] for name in ("line", "stage", "error", "message", "source", "output"))
        for line, stage, error, message, *names in zip(*columns, strict=True):
            text = message or ""
            key = (stage or "", error or "", unnamed(text, names))
            found = self._causes.get(key) or self._causes.setdefault(key, Cause(*key))
            found.rows += 1
            if found.rows <= _EXAMPLES:
                found.lines.append(int(line))
                found.examples.append(f"line {line}: {text}")


def counted(block: Block, name: str) -> dict[Any, int]:
    """Return how many rows of a block have each value of a column."""
    return {block.same[name]: block.count} if name in block.same else Counter(block.varying[name])
