"""No workers: one chunk after another in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bulkdcm.engines.base import Chunk, Lost, Result, Workers


class Sequential:
    """Runs chunks in the process of the run, where a crash ends it."""

    same_machine = True
    names_the_row = False
    stops_a_row = False  # a signal reaches no long call into C
    limits_memory = False
    needs_address = False

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
