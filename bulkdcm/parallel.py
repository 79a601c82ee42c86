"""Chunks to results, in the order they finish. The only module, with its `cluster`, that knows joblib; it knows no DICOM."""

from __future__ import annotations

import contextlib
import math
import os
import threading
import warnings
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

with warnings.catch_warnings():
    warnings.simplefilter("ignore", UserWarning)  # of missing semaphores: we say so ourselves, where they are needed
    from joblib import Parallel, delayed, parallel_config
    from joblib.externals.loky import get_reusable_executor

from bulkdcm import system
from bulkdcm.errors import ClusterError, StorageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Item = TypeVar("Item")
Chunk = TypeVar("Chunk")
Result = TypeVar("Result")

_CHUNK_S, _LARGEST_CHUNK = 0.3, 256
_MANAGER, _MANAGER_ENDS_S = "ExecutorManagerThread", 1.0  # of loky
_SEMAPHORES = 16  # more than the queues and locks of loky's pool, to which each worker adds one
_CHUNKS_A_WORKER = 4  # of what is left


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """Where chunks run.

    Attributes
    ----------
    n_jobs
        Workers; 0 for one a core. Of a cluster: see `connected`.
    backend
        ``loky`` (processes), ``threading``, ``sequential`` or ``dask`` (a cluster).
    scheduler
        Address of the cluster's scheduler, as ``tcp://host:8786``.
    prepare
        Called once in each worker process of ``loky`` before its first chunk.
    """

    n_jobs: int
    backend: str
    scheduler: str = ""
    prepare: Callable[[], None] | None = None

    @property
    def workers(self) -> int:
        """The number of workers: as asked, or one for each core this process may use."""
        if self.backend == "sequential":
            return 1
        if self.n_jobs:
            return self.n_jobs
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

    def connected(self) -> Pool:
        """Return the pool with as many workers as its cluster has; as it is where there is none."""
        return replace(self, n_jobs=_cluster().threads_of(self.scheduler)) if self.backend == "dask" else self

    def for_chunks(self, count: int) -> Pool:
        """Return the pool without workers that `count` chunks would leave idle."""
        return replace(self, n_jobs=max(1, min(self.workers, count)))


@dataclass(frozen=True, slots=True)
class Lost(Generic[Chunk]):
    """Workers died: these chunks were under way and have no result. The others go on with new workers."""

    chunks: tuple[Chunk, ...]


def _cluster() -> Any:
    try:
        from bulkdcm import cluster
    except ImportError as error:
        msg = "--backend dask needs dask.distributed: pip install 'bulkdcm[dask]'"
        raise ClusterError(msg) from error
    return cluster


def cut(
    items: Iterable[Item], count: int, workers: int, asked: int, seconds_of: Callable[[Item], float]
) -> Iterator[tuple[Item, ...]]:
    """Yield `items` in chunks that keep dispatch cheap and, as they shrink towards the end, every worker busy.

    Parameters
    ----------
    items
        Taken one by one.
    count
        How many there are.
    workers
        That share them.
    asked
        How many make a chunk; 0 for about a third of a second's work.
    seconds_of
        About how long one takes.
    """
    chunk: list[Item] = []
    given, spent_s = 0, 0.0
    for item in items:
        chunk.append(item)
        spent_s += 0.0 if asked else seconds_of(item)
        most = asked or min(_LARGEST_CHUNK, math.ceil((count - given) / (workers * _CHUNKS_A_WORKER)))
        if len(chunk) >= most or spent_s >= _CHUNK_S:
            yield tuple(chunk)
            given += len(chunk)
            chunk, spent_s = [], 0.0
    if chunk:
        yield tuple(chunk)


def run_chunks(
    function: Callable[[Chunk], Result], chunks: Iterator[Chunk], pool: Pool
) -> Iterator[Result | Lost[Chunk]]:
    """Yield ``function(chunk)`` for each chunk as it finishes.

    Parameters
    ----------
    function
        Must not raise nor return None; importable by name where workers are processes.
    chunks
        Taken lazily, a few ahead of the workers. It may have more to give again after a `Lost`.
    pool
        Where they run.

    Raises
    ------
    ClusterError
        Where the cluster can't be reached, can't run this, or is gone.
    """
    if pool.backend == "sequential":
        yield from map(function, chunks)
    elif pool.backend == "dask":
        cluster = _cluster()
        with cluster.connected(pool.scheduler) as client, parallel_config(backend=cluster.Backend(client)):
            yield from _run_parallel(function, chunks, pool)
    else:
        yield from _run_parallel(function, chunks, pool)


def _run_parallel(
    function: Callable[[Chunk], Result], chunks: Iterator[Chunk], pool: Pool
) -> Iterator[Result | Lost[Chunk]]:
    pending: dict[int, Chunk] = {}
    number = 0

    def tasks() -> Iterator[Any]:
        nonlocal number
        for chunk in chunks:
            number += 1
            pending[number] = chunk
            yield delayed(_numbered)(function, number, chunk)

    again = True
    while again:
        again = False
        try:
            with _quietly():
                results: Any = _parallel(pool)(tasks())
                with _closed(results):
                    for finished, result in results:
                        chunk = pending.pop(finished)
                        if result is None:
                            again = True  # joblib doesn't ask again for chunks after it has had the last
                            yield Lost((chunk,))
                        else:
                            yield result
        except BrokenProcessPool:
            again = True
            lost = tuple(pending.values())
            pending.clear()
            yield Lost(lost)
        except OSError as error:
            raise _unstarted(error) from error
    if pool.backend == "loky" and number:
        # The next run has other workers; these would only hold their memory. A run that is stopped is joblib's to end.
        get_reusable_executor(reuse=True).shutdown(wait=True, kill_workers=True)


def _unstarted(error: OSError) -> StorageError:
    return StorageError(
        f"workers can't be started: {error.strerror or error}. They share semaphores in the system's shared memory "
        "(/dev/shm on Linux), which must be writable and not full: mend it, or use --backend threading. "
        "What was finished is kept; then run the same command again."
    )


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Keep from the user that a thread of loky's, which was handing out a task, fails with a KeyError as a run is stopped.

    Nothing follows from it. It may still be at it when the block has been left, so that it is waited for.
    """
    before = threading.excepthook

    def say(failure: threading.ExceptHookArgs) -> None:
        of_loky = failure.thread is not None and failure.thread.name == _MANAGER
        if not (of_loky and failure.exc_type is KeyError):
            before(failure)

    threading.excepthook = say
    try:
        yield
    except BaseException:
        for thread in threading.enumerate():
            if thread.name == _MANAGER:
                thread.join(_MANAGER_ENDS_S)
        raise
    finally:
        threading.excepthook = before


@contextlib.contextmanager
def _closed(results: Any) -> Iterator[None]:
    """Close joblib's results after the block, without its advice on how a run that is stopped would waste no tasks."""
    try:
        yield
    finally:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            results.close()


def _parallel(pool: Pool) -> Any:
    options: dict[str, Any] = {"batch_size": 1, "return_as": "generator_unordered", "pre_dispatch": "3*n_jobs"}
    if pool.backend == "dask":
        return Parallel(**options)
    if pool.backend == "threading":
        return Parallel(n_jobs=pool.workers, backend=pool.backend, **options)
    # Without them joblib would use threads, where one crash ends the run.
    system.check_semaphores(_SEMAPHORES + pool.workers)
    if pool.prepare:
        options["initializer"] = pool.prepare
    if pool.workers == 1:
        # joblib would run one job in this process, where a crash would end the run: two workers, one at work.
        options["pre_dispatch"] = 1
    # Threads of a codec or of BLAS would fight the other workers for the cores.
    with parallel_config(backend="loky", inner_max_num_threads=1):
        return Parallel(n_jobs=max(2, pool.workers), **options)


def _numbered(function: Callable[[Chunk], Result], number: int, chunk: Chunk) -> tuple[int, Result]:
    return number, function(chunk)
