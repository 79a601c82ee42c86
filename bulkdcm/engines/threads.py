"""Threads of this process: quick to start, and one crash ends the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bulkdcm.engines.base import OnThisMachine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bulkdcm.engines.base import Chunk, Lost, Result, Workers


class Threads(OnThisMachine):
    """Runs chunks in threads."""

    names_the_row = False
    stops_a_row = False
    limits_memory = False

    def run(
        self, function: Callable[[Chunk], Result], chunks: Iterator[Chunk], workers: Workers
    ) -> Iterator[Result | Lost[Chunk]]:
        """Yield results as threads finish."""
        from bulkdcm.engines import joblib_pool

        yield from joblib_pool.run(function, chunks, lambda: joblib_pool.threads(workers))
