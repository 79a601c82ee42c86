"""Threads of this process: quick to start, and one crash ends the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bulkdcm.engines.base import cores

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bulkdcm.engines.base import Chunk, Lost, Result, Workers


class Threads:
    """Runs chunks in threads."""

    same_machine = True
    names_the_row = False
    stops_a_row = False
    limits_memory = False
    needs_address = False

    def workers(self, asked: int, address: str) -> int:
        """Return as many as asked, or one a core."""
        del address
        return asked or cores()

    def run(
        self, function: Callable[[Chunk], Result], chunks: Iterator[Chunk], workers: Workers
    ) -> Iterator[Result | Lost[Chunk]]:
        """Yield results as threads finish."""
        from bulkdcm.engines import joblib_pool

        yield from joblib_pool.run(function, chunks, lambda: joblib_pool.threads(workers))
