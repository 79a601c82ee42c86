"""What is counted for the page over all rows, a block at a time, in little memory."""

from __future__ import annotations

import heapq
from array import array
from collections import Counter
from itertools import compress
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bulkdcm.problem import cause
from bulkdcm.report.columns import STAGES
from bulkdcm.report.rows import PATIENT
from bulkdcm.report.tally import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bulkdcm.ledger.block import Block

_TOP = 8
_COUNTED = (
    "sop_class_uid",
    "transfer_syntax_uid",
    "photometric_interpretation",
    "bits_stored",
    "attempt",
)
_LEVELS = ("study_instance_uid", "series_instance_uid", "sop_instance_uid")


class Extreme(NamedTuple):
    """A row that took long, or is large."""

    measure: float
    line: int
    source: str


class Duplicates(NamedTuple):
    """Rows whose sources hold the same bytes.

    Attributes
    ----------
    files, rows
        How many different contents more than one row has, and how many rows have one of them.
    examples
        Lines of some that are alike.
    """

    files: int
    rows: int
    examples: list[list[int]]


class Facts:
    """Counts of what was made, and of what this run did.

    Attributes
    ----------
    counts
        How many converted rows have each value, by the column's name.
    dimensions
        How many have each (columns, rows).
    decisions
        How many have each decision.
    reasons
        Of the rows that ran: (why, status) to how many.
    workers
        Of the rows that ran: rows and seconds, by the worker.
    slowest, largest
        Rows in that order.
    """

    def __init__(self) -> None:
        self.counts: dict[str, Counter[Any]] = {name: Counter() for name in _COUNTED}
        self.dimensions: Counter[tuple[int, int]] = Counter()
        self.decisions: Counter[str] = Counter()
        self.reasons: Counter[tuple[str, str]] = Counter()
        self.workers: dict[int, tuple[int, float]] = {}
        self.slowest: list[Extreme] = []
        self.largest: list[Extreme] = []
        self._patients: set[int] = set()
        self._levels = {name: array("q") for name in _LEVELS}
        self._contents, self._lines = array("q"), array("q")

    def take(self, block: Block, ran: Sequence[int], seconds: Sequence[float]) -> None:
        """Count the next rows.

        Parameters
        ----------
        block
            The rows.
        ran
            For each of them whether this run converted or failed it.
        seconds
            What each of them took.
        """
        self.counts["attempt"].update(counted(block, "attempt"))
        self._take_extremes(block, seconds)
        self._take_contents(block)
        if any(ran):
            self._take_run(block, ran, seconds)
        done = [status == "converted" for status in block["status"]]
        if any(done):
            self._take_converted(block if all(done) else block.where(done))

    def distinct(self) -> dict[str, int]:
        """Return how many patients, studies, series and instances the converted rows are."""
        levels = [len(np.unique(_numbers(found))) for found in self._levels.values()]
        return dict(zip(("patient", "study", "series", "instance"), [len(self._patients - {0}), *levels], strict=True))

    def duplicates(self) -> Duplicates:
        """Return which sources are the same, byte for byte."""
        contents, lines = _numbers(self._contents), _numbers(self._lines)
        values, first, counts = np.unique(contents, return_index=True, return_counts=True)
        several = np.flatnonzero(counts > 1)
        chosen = several[np.lexsort((first[several], -counts[several]))][:_TOP]
        examples = [lines[contents == values[place]][:_TOP].tolist() for place in chosen]
        return Duplicates(len(several), int(counts[several].sum()), examples)

    def _take_converted(self, block: Block) -> None:
        for name in _COUNTED[:-1]:
            self.counts[name].update(counted(block, name))
        self.dimensions.update(zip(block["columns"], block["rows"], strict=True))
        for decisions, count in counted(block, "decisions").items():
            for decision in filter(None, (decisions or "").split("; ")):
                self.decisions[cause(decision)] += count
        self._patients.update(block[PATIENT])
        for name, found in self._levels.items():
            found.extend(hash(uid) for uid in block[name])

    def _take_contents(self, block: Block) -> None:
        digests = block["source_sha256"]
        self._contents.extend(map(hash, filter(None, digests)))
        self._lines.extend(compress(block["line"], digests))

    def _take_run(self, block: Block, ran: Sequence[int], seconds: Sequence[float]) -> None:
        self.reasons.update(compress(zip(block["reason"], block["status"], strict=True), ran))
        for worker, spent in compress(zip(block["worker"], seconds, strict=True), ran):
            if worker:
                rows, before = self.workers.get(worker, (0, 0.0))
                self.workers[worker] = (rows + 1, before + spent)

    def _take_extremes(self, block: Block, seconds: Sequence[float]) -> None:
        self.slowest = _largest(self.slowest, seconds, block)
        self.largest = _largest(self.largest, [number or 0 for number in block["source_size_bytes"]], block)


def seconds_of(block: Block) -> list[float]:
    """Return what each row of a block took, all stages together."""
    columns = [block[name] for name in STAGES if block.same.get(name, 0.0) is not None]
    if not columns:
        return [0.0] * block.count
    return [round(sum(filter(None, spent)), 6) for spent in zip(*columns, strict=True)]


def _numbers(found: array[int]) -> Any:
    return np.frombuffer(found, dtype=np.int64) if found else np.zeros(0, dtype=np.int64)


def _largest(known: list[Extreme], measures: Sequence[float], block: Block) -> list[Extreme]:
    """Return the rows with the largest measures, the first of equals first."""
    least = known[-1].measure if len(known) == _TOP else 0
    if max(measures) <= least:
        return known
    more: Iterable[Extreme] = (
        Extreme(measure, line, source)
        for measure, line, source in zip(measures, block["line"], block["source"], strict=True)
        if measure > least
    )
    return heapq.nsmallest(_TOP, [*known, *more], key=lambda found: (-found.measure, found.line))
