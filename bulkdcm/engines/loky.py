"""Processes of this machine, by joblib's loky: a crash takes one worker, and the run goes on."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

from bulkdcm.engines.base import OnThisMachine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bulkdcm.engines.base import Chunk, Lost, Result, Workers

_MOST_ON_WINDOWS = 60


class Loky(OnThisMachine):
    """Runs chunks in processes."""

    names_the_row = True
    stops_a_row = True
    limits_memory = True

    def workers(self, asked: int, address: str) -> int:
        """See `Engine`: Windows waits for 63 things at once, and loky for each worker and two more."""
        found = super().workers(asked, address)
        return min(found, _MOST_ON_WINDOWS) if sys.platform == "win32" else found

    @contextlib.contextmanager
    def started(self, workers: Workers) -> Iterator[None]:
        """Start the processes, each of which takes half a second to import what it needs."""
        from bulkdcm.engines import joblib_pool

        with joblib_pool.started(workers):
            yield

    def run(
        self, function: Callable[[Chunk], Result], chunks: Iterator[Chunk], workers: Workers
    ) -> Iterator[Result | Lost[Chunk]]:
        """Yield results as processes finish; a process that dies loses what was under way."""
        from bulkdcm.engines import joblib_pool

        started = False
        for result in joblib_pool.run(function, chunks, lambda: joblib_pool.processes(workers)):
            started = True
            yield result
        if started:
            joblib_pool.end_processes()
