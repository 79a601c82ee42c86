"""Chunks to results, in the order they finish. The only module that imports joblib; it knows no DICOM."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import os
import time
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from joblib import Parallel, delayed, parallel_config
from joblib.externals.loky import get_reusable_executor

from bulkdcm.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Item = TypeVar("Item")
Chunk = TypeVar("Chunk")
Result = TypeVar("Result")

_CHUNK_S, _LARGEST_CHUNK = 0.3, 256
_CHUNKS_A_WORKER = 4  # of what is left
_CONNECT_S, _LOOK_EVERY_S, _WITHOUT_WORKERS_S = 10.0, 0.5, 30.0
_GO_ON = "What was finished is kept: run the same command again to go on."


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """Where chunks run.

    Attributes
    ----------
    n_jobs
        Workers; 0 for one a core.
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
        if self.backend == "dask":
            return _cluster_threads(self.scheduler)
        if self.n_jobs:
            return self.n_jobs
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

    def for_chunks(self, count: int) -> Pool:
        """Return the pool without workers that `count` chunks would leave idle."""
        return self if self.backend == "dask" else replace(self, n_jobs=max(1, min(self.workers, count)))


@dataclass(frozen=True, slots=True)
class Lost(Generic[Chunk]):
    """Workers died: these chunks were under way and have no result. The others go on with new workers."""

    chunks: tuple[Chunk, ...]


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
        Must not raise; importable by name where workers are processes.
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
        with _quiet(), _client(pool.scheduler) as client, parallel_config(backend=_dask_backend(client)):
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
    try:
        while again:
            again = False
            results: Any = _parallel(pool)(tasks())
            try:
                with contextlib.closing(results):
                    for finished, result in results:
                        chunk = pending.pop(finished)
                        if isinstance(result, _Died):
                            again = True  # joblib doesn't ask again for chunks after it has had the last
                            yield Lost((chunk,))
                        else:
                            yield result
            except BrokenProcessPool:
                again = True
                lost = tuple(pending.values())
                pending.clear()
                yield Lost(lost)
    finally:
        if pool.backend == "loky" and number:
            # The next run has other workers; these would only hold their memory, and this process at its end.
            get_reusable_executor(reuse=True).shutdown(wait=True, kill_workers=True)


def _parallel(pool: Pool) -> Any:
    options: dict[str, Any] = {"batch_size": 1, "return_as": "generator_unordered"}
    if pool.backend == "dask":
        return Parallel(pre_dispatch="3*n_jobs", **options)
    options["backend"] = pool.backend
    if pool.backend == "loky" and pool.prepare:
        options["initializer"] = pool.prepare
    if pool.workers > 1 or pool.backend != "loky":
        return Parallel(n_jobs=pool.workers, pre_dispatch="3*n_jobs", **options)
    # joblib would run one job in this process, where a crash would end the run: two workers, one at work.
    return Parallel(n_jobs=2, pre_dispatch=1, **options)


def _numbered(function: Callable[[Chunk], Result], number: int, chunk: Chunk) -> tuple[int, Result]:
    return number, function(chunk)


@dataclass(frozen=True, slots=True)
class _Died:
    """In place of a chunk's result: every worker that the cluster gave it to has died."""


def _client(scheduler: str) -> Any:
    try:
        import distributed
    except ImportError as error:
        msg = "--backend dask needs dask.distributed: pip install 'bulkdcm[dask]'"
        raise ClusterError(msg) from error
    try:
        connect: Any = distributed.Client  # its own types are half done
        return connect(scheduler, timeout=_CONNECT_S, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        msg = f"--scheduler {scheduler}: can't be reached: {error}. Start one with `dask scheduler`, and its workers."
        raise ClusterError(msg) from error


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Say nothing of a lost connection but our own error; distributed tells it in several tracebacks."""
    handlers = [handler for name in ("distributed", "tornado", "") for handler in logging.getLogger(name).handlers]

    def ours(record: logging.LogRecord) -> bool:
        return record.name.partition(".")[0] not in {"distributed", "tornado", "asyncio"}

    for handler in handlers:
        handler.addFilter(ours)
    try:
        yield
    finally:
        for handler in handlers:
            handler.removeFilter(ours)


@cache
def _cluster_threads(scheduler: str) -> int:
    with _quiet(), _client(scheduler) as client:
        try:
            client.wait_for_workers(1, timeout=_CONNECT_S)
        except TimeoutError as error:
            msg = f"--scheduler {scheduler}: it has no workers. Start some: dask worker {scheduler} --nthreads 1"
            raise ClusterError(msg) from error
        return sum(client.ncores().values())


def _dask_backend(client: Any) -> Any:
    """Return joblib's dask backend, with an answer for tasks that have none.

    joblib's own waits for ever for a task whose workers all died, and for all tasks once the scheduler is gone: it passes
    results on, and no errors.
    """
    from distributed import KilledWorker
    from joblib._dask import DaskDistributedBackend

    class Backend(DaskDistributedBackend):  # type: ignore[misc]  # joblib ships no types
        def effective_n_jobs(self, n_jobs: int) -> int:
            # joblib would run tasks in this process where the cluster has one thread.
            return max(2, int(super().effective_n_jobs(n_jobs)))

        def submit(self, func: Any, callback: Any = None) -> Any:
            (_, (_, number, _), _), *_ = func.items
            untold[number] = callback
            return super().submit(func, partial(tell, number))

        async def _collect(self) -> None:
            while self._continue:
                fault = ""
                try:
                    future, result = await asyncio.wait_for(anext(self.waiting_futures), _LOOK_EVERY_S)
                    self._pass_on(future, result)
                except StopAsyncIteration:
                    await asyncio.sleep(0.01)
                except TimeoutError:
                    fault = await cluster.fault()
                except Exception as error:  # noqa: BLE001  # else all would wait for ever
                    fault = repr(error)
                if fault:
                    for number in list(untold):
                        tell(number, ClusterError(f"the cluster can't go on: {fault}. {_GO_ON}"))

        def _pass_on(self, future: Any, result: Any) -> None:
            self._results.pop(future, None)
            number = self._callbacks.pop(future).args[0]
            if future.status == "error" and isinstance(result[1], KilledWorker):
                result = [(number, _Died())]
            elif future.status != "finished":
                fault = "its scheduler is gone" if future.status == "cancelled" else repr(result)
                result = ClusterError(f"the cluster can't go on: {fault}. {_GO_ON}")
            tell(number, result)

        def retrieve_result_callback(self, out: Any) -> Any:
            if isinstance(out, ClusterError):
                raise out
            return super().retrieve_result_callback(out)

    untold: dict[int, Callable[[Any], None]] = {}

    def tell(number: int, result: Any) -> None:
        if callback := untold.pop(number, None):
            callback(result)

    cluster = _Cluster(client)
    return Backend(client=client)


class _Cluster:
    """What says that a cluster will answer no more."""

    def __init__(self, client: Any) -> None:
        self._client, self._had_workers_s = client, time.monotonic()

    async def fault(self) -> str:
        """Return why nothing can be waited for; empty where all is well."""
        if self._client.status != "running":
            return "its scheduler is gone"
        try:
            threads = await asyncio.wait_for(self._client.scheduler.ncores(), _CONNECT_S)
        except (OSError, TimeoutError):
            return "its scheduler is gone"
        if sum(threads.values()):
            self._had_workers_s = time.monotonic()
        elif time.monotonic() - self._had_workers_s > _WITHOUT_WORKERS_S:
            return f"it has had no workers for {_WITHOUT_WORKERS_S:g} s"
        return ""
