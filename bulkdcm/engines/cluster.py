"""A dask cluster, which `dask` alone imports, and only where it is asked for: distributed takes long to load."""

from __future__ import annotations

import contextlib
import logging
import time
from concurrent.futures import CancelledError
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

import distributed

from bulkdcm.engines.base import Lost
from bulkdcm.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bulkdcm.engines.base import Chunk, Result, Workers

_CONNECT_S, _RESULT_S, _LOOK_EVERY_S, _WITHOUT_WORKERS_S = 10.0, 2.0, 0.5, 30.0
_AHEAD = 3  # chunks a thread, as joblib's pre_dispatch
_GONE = "its scheduler is gone"


def run(
    function: Callable[[Chunk], Result], chunks: Iterator[Chunk], workers: Workers
) -> Iterator[Result | Lost[Chunk]]:
    """Yield results as the cluster's workers finish; see `bulkdcm.engines.base.Engine`."""
    with connected(workers.address) as client:
        ended: SimpleQueue[Any] = SimpleQueue()
        under_way: dict[Any, Chunk] = {}
        had_workers_s = time.monotonic()
        while True:
            while len(under_way) < _AHEAD * workers.count and (chunk := next(chunks, None)) is not None:
                future = client.submit(function, chunk, pure=False)
                under_way[future] = chunk
                future.add_done_callback(ended.put)
            if not under_way:
                return
            try:
                future = ended.get(timeout=_LOOK_EVERY_S)
            except Empty:
                had_workers_s = _look(client, had_workers_s)
                continue
            if (found := _outcome(future, under_way[future])) is None:
                future.add_done_callback(ended.put)  # at once, if the client hasn't heard yet that the result is gone
                had_workers_s = _look(client, had_workers_s)
                continue
            had_workers_s = time.monotonic()
            del under_way[future]
            yield found


def _outcome(future: Any, chunk: Chunk) -> Any:
    """Return a task's result, or that it is lost; None where it doesn't come, as if its worker has died since.

    Raises
    ------
    ClusterError
        If something else came in its place.
    """
    try:
        return future.result(timeout=_RESULT_S)
    except distributed.KilledWorker:
        return Lost((chunk,))
    except (TimeoutError, distributed.TimeoutError):
        return None
    except CancelledError as error:
        raise _ended(_GONE) from error
    except ClusterError as error:
        raise _ended(error.message) from error
    except Exception as error:
        raise _ended(repr(error)) from error


def _look(client: Any, had_workers_s: float) -> float:
    """Return when the cluster had workers last, on this machine's clock.

    Raises
    ------
    ClusterError
        If nothing can be waited for.
    """
    try:
        threads = client.sync(client.scheduler.ncores, callback_timeout=_CONNECT_S)
    except (OSError, TimeoutError, CancelledError, distributed.TimeoutError) as error:
        raise _ended(_GONE) from error
    now = time.monotonic()
    if sum(threads.values()):
        return now
    if now - had_workers_s > _WITHOUT_WORKERS_S:
        fault = f"it has had no workers for {_WITHOUT_WORKERS_S:g} s"
        raise _ended(fault)
    return had_workers_s


def _ended(fault: str) -> ClusterError:
    return ClusterError(
        f"the cluster can't go on: {fault}. What was finished is kept: run the same command again to go on."
    )


@contextlib.contextmanager
def connected(scheduler: str) -> Iterator[Any]:
    """Within the block, have a client of the cluster.

    Parameters
    ----------
    scheduler
        Its scheduler's address.

    Raises
    ------
    ClusterError
        If the scheduler doesn't answer.
    """
    connect: Any = distributed.Client  # its own types are half done
    with _quiet():
        try:
            client = connect(scheduler, timeout=_CONNECT_S, set_as_default=False)
        except (OSError, ValueError, TypeError) as error:
            msg = (
                f"--scheduler {scheduler}: can't be reached: {error}. Start one with `dask scheduler`, and its workers."
            )
            raise ClusterError(msg) from error
        with client:
            yield client


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


def threads_of(scheduler: str) -> int:
    """Return how many threads the workers of a cluster have together.

    Raises
    ------
    ClusterError
        If it can't be reached, or has no workers.
    """
    with connected(scheduler) as client:
        try:
            client.wait_for_workers(1, timeout=_CONNECT_S)
        except TimeoutError as error:
            msg = f"--scheduler {scheduler}: it has no workers. Start some: dask worker {scheduler} --nthreads 1"
            raise ClusterError(msg) from error
        return sum(client.ncores().values())
