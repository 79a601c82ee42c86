"""The workers of a dask cluster, maybe on other machines."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from bulkdcm.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from bulkdcm.engines.base import Chunk, Lost, Result, Workers


class Dask:
    """Runs chunks on a cluster, which doesn't say at which row a worker died, and whose workers nothing can stop at one."""

    same_machine = False
    names_the_row = False
    stops_a_row = False
    limits_memory = False
    needs_address = True

    def workers(self, asked: int, address: str) -> int:
        """Return how many threads the cluster's workers have."""
        del asked
        return int(_cluster().threads_of(address))

    def started(self, workers: Workers) -> AbstractContextManager[None]:
        """Return a block in which nothing happens: the cluster's workers are there."""
        del workers
        return contextlib.nullcontext()

    def run(
        self, function: Callable[[Chunk], Result], chunks: Iterator[Chunk], workers: Workers
    ) -> Iterator[Result | Lost[Chunk]]:
        """Yield results as the cluster's workers finish; a chunk that killed several of them is lost."""
        yield from _cluster().run(function, chunks, workers)


def _cluster() -> Any:
    try:
        from bulkdcm.engines import cluster
    except ImportError as error:
        msg = "--backend dask needs dask.distributed: pip install 'bulkdcm[dask]'"
        raise ClusterError(msg) from error
    return cluster
