"""What another report says otherwise of the same sources: status, bytes, or why a row failed."""

from __future__ import annotations

from collections import Counter
from itertools import compress
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd

    from bulkdcm.ledger.block import Block

_REASON = ("stage", "error", "message")
_COMPARED = ("status", "output_sha256", *_REASON)
KINDS = {
    "status": "another status",
    "bytes": "other bytes",
    "reason": "failed for another reason",
    "new": "not in the other report",
    "gone": "only in the other report",
}
"""What may have become of a row, in words."""


class Change(NamedTuple):
    """One row that the two reports differ in.

    Attributes
    ----------
    kind
        A key of `KINDS`.
    line
        Of the manifest; of a row that is gone, of the other one.
    source
        Its source.
    before, now
        Status, checksum or reason, as far as there is one.
    """

    kind: str
    line: int
    source: str
    before: str
    now: str


class Changes:
    """Rows beside those of another report: known again by their source and, if several share one, by their order.

    Parameters
    ----------
    other
        The other report's table.

    Attributes
    ----------
    counts
        How many rows differ, by the kind of change.
    same
        How many don't.
    rows
        Those that do, in the manifest's order, those that are gone at the end; as many as `most`.
    """

    most = 1000

    def __init__(self, other: pd.DataFrame) -> None:
        columns = [other[name].astype(object).where(other[name].notna(), None).tolist() for name in _COMPARED]
        keys = _numbered(other["source"].tolist(), Counter())
        self._other = dict(zip(keys, zip(other["line"].tolist(), *columns, strict=True), strict=True))
        self._seen: Counter[str] = Counter()
        self.counts: Counter[str] = Counter()
        self.same = 0
        self.rows: list[Change] = []

    def take(self, block: Block) -> None:
        """Compare the next rows."""
        keys = list(_numbered(block["source"], self._seen))
        found = [self._other.pop(key, None) for key in keys]
        own = list(zip(block["line"], *(block[name] for name in _COMPARED), strict=True))
        differ = [then is None or then[1:] != now[1:] for then, now in zip(found, own, strict=True)]
        self.same += block.count - sum(differ)
        for (source, _), then, now in compress(zip(keys, found, own, strict=True), differ):
            self._add(_change(source, then, now))

    def close(self) -> None:
        """Note the rows that only the other report has."""
        for (source, _), (line, status, *_rest) in self._other.items():
            self._add(Change("gone", line, source, status, ""))
        self._other = {}

    def _add(self, change: Change) -> None:
        self.counts[change.kind] += 1
        if len(self.rows) < self.most:
            self.rows.append(change)


def _numbered(sources: Iterable[str], seen: Counter[str]) -> Iterable[tuple[str, int]]:
    for source in sources:
        seen[source] += 1
        yield source, seen[source]


def _change(source: str, then: Sequence[str] | None, now: Sequence[str]) -> Change:
    line, status, sha256, *reason = now
    if then is None:
        return Change("new", int(line), source, "", status)
    _, old_status, old_sha256, *old_reason = then
    if status != old_status:
        return Change("status", int(line), source, old_status, status)
    if sha256 != old_sha256:
        return Change("bytes", int(line), source, old_sha256 or "", sha256 or "")
    return Change("reason", int(line), source, old_reason[-1] or "", reason[-1] or "")
