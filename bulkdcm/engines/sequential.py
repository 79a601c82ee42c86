"""No workers: one chunk after another in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bulkdcm.engines.base import OnThisMachine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bulkdcm.engines.base import Chunk, Lost, Result, Workers


class Sequential(OnThisMachine):
    """Runs chunks in the process of the run, where a crash ends it."""

    names_the_row = False
    stops_a_row = False  # a signal reaches no long call into C
    limits_memory = False

    def workers(self, asked: int, address: str) -> int:
        """Return 1."""
        del asked, address
        return 1

    def run(
        self, function: Callable[[Chunk], Result], chunks: Iterator[Chunk], workers: Workers
    ) -> Iterator[Result | Lost[Chunk]]:
        """Yield each result."""
        del workers
        yield from map(function, chunks)
