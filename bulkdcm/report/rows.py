"""The rows of a report in blocks, each of which is counted and written before the next is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bulkdcm.ledger.block import Block
from bulkdcm.ledger.schema import UNCHANGED
from bulkdcm.report.columns import COLUMNS
from bulkdcm.report.kept import packed
from bulkdcm.report.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bulkdcm.ledger.runs import Named
    from bulkdcm.report.kept import Packed

PATIENT = "patient"
"""Of blocks alone: a number, which no file of the report has but its page."""
_NAMES = [column.name for column in COLUMNS]


def completed(recorded: Iterable[Block], named: Iterable[Named], unchanged: Iterable[int]) -> Iterator[Block]:
    """Yield rows as the report has them.

    Parameters
    ----------
    recorded
        What the ledger has of them.
    named
        Line, source, output and patient of the same rows, in blocks of the same sizes.
    unchanged
        Ordinals of rows that failed before, and weren't tried again.
    """
    left, at = set(unchanged), 0
    for block, names in zip(recorded, named, strict=True):
        found = complete(block, names["line"], names["source"], names["output"], names["patient"])
        here = range(at, at + block.count)
        if not left.isdisjoint(here):
            reasons = zip(here, found["reason"], strict=True)
            found = found.replaced("reason", [UNCHANGED if o in left else reason for o, reason in reasons])
        at += block.count
        yield found


def complete(
    recorded: Block, lines: Sequence[int], sources: Sequence[str], outputs: Sequence[str], patients: Sequence[int] = ()
) -> Block:
    """Return rows as the report has them.

    Parameters
    ----------
    recorded
        What the ledger has of them; the status is None where it has nothing.
    lines, sources, outputs
        Of the manifest; an output may be empty where only the UIDs tell it.
    patients
        Numbers of their patients, 0 for none; none are for none.
    """
    status, output = recorded["status"], recorded["output"]
    if None in status:
        status = [each or "pending" for each in status]
    if None in output or "" in output:
        output = [known or planned or None for known, planned in zip(output, outputs, strict=True)]
    given = {
        "line": lines,
        "source": sources,
        "status": status,
        "output": output,
        PATIENT: patients or [0] * len(lines),
    }
    own = Block.of(given, given.values())
    others = [name for name in _NAMES if name not in given]
    cleared = {name: column for name in others if (column := recorded.varying.get(name)) and "" in column}
    told = Block.of(cleared, [[_none(value) for value in column] for column in cleared.values()])
    return Block(
        recorded.count,
        {name: _none(recorded.same[name]) for name in others if name in recorded.same} | told.same | own.same,
        {name: recorded.varying[name] for name in others if name in recorded.varying and name not in cleared}
        | told.varying
        | own.varying,
        recorded.texts,
    )


def _none(value: Any) -> Any:
    """Return None for a text that says nothing, so that what is empty in a file comes back as it was."""
    return None if value == "" else value


class Rows:
    """The rows of a report in their order.

    Parameters
    ----------
    blocks
        Of the report's columns; gone over once.
    ran
        For each row whether this run converted or failed it.
    keep
        Whether the rows are kept to be gone over again; else the first time is the last.
    """

    def __init__(self, blocks: Iterable[Block], ran: Sequence[int], *, keep: bool = True) -> None:
        self._blocks: Iterable[Block] | None = blocks
        self.ran = ran
        self._tally = Tally(ran)
        self._kept: list[Packed] | None = [] if keep else None

    def __len__(self) -> int:
        return len(self.ran)

    def __iter__(self) -> Iterator[Block]:
        blocks, self._blocks = self._blocks, None
        if blocks is None:
            yield from self._again()
            return
        for block in blocks:
            self._tally.take(block)
            if self._kept is not None:
                self._kept.append(packed(block))
            yield block

    @property
    def tally(self) -> Tally:
        """What is counted over all rows."""
        if self._blocks is not None:
            for _ in self:
                pass
        return self._tally

    def _again(self) -> Iterator[Block]:
        if self._kept is None:
            msg = "the rows of this report were not kept; leave keep_rows=False out"
            raise ValueError(msg)
        return (each.block() for each in self._kept)
