"""The rows of a report in blocks, each of which is counted and written before the next is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bulkdcm.ledger.block import Block
from bulkdcm.report.columns import COLUMNS
from bulkdcm.report.kept import packed
from bulkdcm.report.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bulkdcm.report.kept import Packed

_NAMES = [column.name for column in COLUMNS]


def complete(recorded: Block, lines: Sequence[int], sources: Sequence[str], outputs: Sequence[str]) -> Block:
    """Return rows as the report has them.

    Parameters
    ----------
    recorded
        What the ledger has of them; the status is None where it has nothing.
    lines, sources, outputs
        Of the manifest; an output may be empty where only the UIDs tell it.
    """
    status, output = recorded["status"], recorded["output"]
    if None in status:
        status = [each or "pending" for each in status]
    if None in output:
        output = [(planned or None) if known is None else known for known, planned in zip(output, outputs, strict=True)]
    given = {"line": lines, "source": sources, "status": status, "output": output}
    own = Block.of(given, given.values())
    others = [name for name in _NAMES if name not in given]
    return Block(
        recorded.count,
        {name: recorded.same[name] for name in others if name in recorded.same} | own.same,
        {name: recorded.varying[name] for name in others if name in recorded.varying} | own.varying,
        recorded.texts,
    )


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
