"""A dask cluster behind joblib, which `parallel` alone imports, and only where it is asked for: both take long to load."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from concurrent.futures import CancelledError
from functools import partial
from typing import TYPE_CHECKING, Any

import distributed
from joblib._dask import DaskDistributedBackend

from bulkdcm.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_CONNECT_S, _LOOK_EVERY_S, _WITHOUT_WORKERS_S = 10.0, 0.5, 30.0


class Backend(DaskDistributedBackend):  # type: ignore[misc]  # joblib ships no types
    """joblib's dask backend, with an answer for tasks that have none.

    joblib's own waits for ever for a task whose workers all died, and for all tasks once the scheduler is gone: it passes
    results on, and no errors. Here the former's result is None, and the latter raises `ClusterError`.

    Parameters
    ----------
    client
        Of the cluster.
    """

    def __init__(self, client: Any) -> None:
        super().__init__(client=client)
        self._untold: dict[int, Callable[[Any], None]] = {}
        self._had_workers_s = time.monotonic()

    def effective_n_jobs(self, n_jobs: int) -> int:
        """Return the number of threads, at least two: with one, joblib would run tasks in this process."""
        return max(2, int(super().effective_n_jobs(n_jobs)))

    def submit(self, func: Any, callback: Any = None) -> Any:
        """Give a task, one numbered chunk, to the cluster."""
        (_, (_, number, _), _), *_ = func.items
        self._untold[number] = callback
        return super().submit(func, partial(self._tell, number))

    def retrieve_result_callback(self, out: Any) -> Any:
        """Return a task's result, or raise what came in its place."""
        if isinstance(out, ClusterError):
            raise out
        return super().retrieve_result_callback(out)

    def _tell(self, number: int, result: Any) -> None:
        if callback := self._untold.pop(number, None):
            callback(result)

    async def _collect(self) -> None:
        while self._continue:
            fault = ""
            try:
                self._pass_on(*await asyncio.wait_for(anext(self.waiting_futures), _LOOK_EVERY_S))
                continue
            except StopAsyncIteration:
                pass
            except TimeoutError:
                fault = await self._fault()
            except Exception as error:  # noqa: BLE001  # else all would wait for ever
                fault = repr(error)
            for number in list(self._untold) if fault else ():
                self._tell(number, _ended(fault))
            await asyncio.sleep(0.01)

    def _pass_on(self, future: Any, result: Any) -> None:
        self._results.pop(future, None)
        number = self._callbacks.pop(future).args[0]
        # A result is a list, also where its worker has died since and the status is another again.
        error = result[1] if isinstance(result, tuple) else result
        if isinstance(error, distributed.KilledWorker):
            result = [(number, None)]
        elif isinstance(error, CancelledError):
            result = _ended("its scheduler is gone")
        elif isinstance(error, BaseException):
            result = _ended(error.message if isinstance(error, ClusterError) else repr(error))
        self._tell(number, result)

    async def _fault(self) -> str:
        """Return why nothing can be waited for; empty where all is well."""
        try:
            threads = await asyncio.wait_for(self.client.scheduler.ncores(), _CONNECT_S)
        except (OSError, TimeoutError):
            return "its scheduler is gone"
        if sum(threads.values()):
            self._had_workers_s = time.monotonic()
        elif time.monotonic() - self._had_workers_s > _WITHOUT_WORKERS_S:
            return f"it has had no workers for {_WITHOUT_WORKERS_S:g} s"
        return ""


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
        Where the scheduler doesn't answer.
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
        Where it can't be reached, or has no workers.
    """
    with connected(scheduler) as client:
        try:
            client.wait_for_workers(1, timeout=_CONNECT_S)
        except TimeoutError as error:
            msg = f"--scheduler {scheduler}: it has no workers. Start some: dask worker {scheduler} --nthreads 1"
            raise ClusterError(msg) from error
        return sum(client.ncores().values())
