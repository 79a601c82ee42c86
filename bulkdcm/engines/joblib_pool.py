"""Chunks through joblib, as processes or threads; the only module that knows it."""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
import warnings
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING, Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore", UserWarning)  # of missing semaphores: we say so ourselves, where they are needed
    from joblib import Parallel, delayed, parallel_config
    from joblib.externals.loky import get_reusable_executor
    from joblib.externals.loky.backend import utils as loky_killing

from bulkdcm import system
from bulkdcm.engines.base import Lost
from bulkdcm.engines.guard import Ready
from bulkdcm.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bulkdcm.engines.base import Chunk, Result, Workers

_OPTIONS = {"batch_size": 1, "return_as": "generator_unordered", "pre_dispatch": "3*n_jobs"}
_MANAGER, _MANAGER_ENDS_S = "ExecutorManagerThread", 1.0  # of loky
_SEMAPHORES = 16  # more than the queues and locks of loky's pool, to which each worker adds one

if shutil.which("pgrep") is None:
    # By which loky, unless psutil is installed, looks for what its workers have started; without it, as in small images, it
    # fails with a traceback. Ours start nothing.
    loky_killing._posix_recursive_kill = loky_killing._kill  # noqa: SLF001  # loky has no setting for it


def threads(workers: Workers) -> Any:
    """Return joblib's pool of threads."""
    return Parallel(n_jobs=workers.count, backend="threading", **_OPTIONS)


def processes(workers: Workers) -> Any:
    """Return joblib's pool of processes.

    Raises
    ------
    OSError
        If there is no room for their semaphores.
    """
    # Without them joblib would use threads, where one crash ends the run.
    system.check_semaphores(_SEMAPHORES + workers.count)
    options: dict[str, Any] = {**_OPTIONS}
    if workers.loads:
        options["initializer"] = Ready(parent=os.getpid(), module=workers.loads)
    if workers.count == 1:
        # joblib would run one job in this process, where a crash would end the run: two workers, one at work.
        options["pre_dispatch"] = 1
    # Threads of a codec or of BLAS would fight the other workers for the cores.
    with parallel_config(backend="loky", inner_max_num_threads=1):
        return Parallel(n_jobs=max(2, workers.count), **options)


class _Early:
    """Whether processes have been started that nobody has ended yet."""

    there = False


@contextlib.contextmanager
def started(workers: Workers) -> Iterator[None]:
    """Have processes start during the block, and end with it if `end_processes` hasn't ended them before."""
    # joblib makes loky's pool with its own settings, and takes it again. What goes wrong is said by `run`.
    with contextlib.suppress(OSError), processes(workers):
        _Early.there = True
        get_reusable_executor(reuse=True).submit(_nothing)  # at which all of them start
    try:
        yield
    finally:
        if _Early.there:
            with _quietly():
                end_processes()


def _nothing() -> None:
    pass


def end_processes() -> None:
    """End the processes, after all chunks: the next run has others, and these would only hold their memory."""
    _Early.there = False
    get_reusable_executor(reuse=True).shutdown(wait=True, kill_workers=True)


def run(
    function: Callable[[Chunk], Result], chunks: Iterator[Chunk], pool: Callable[[], Any]
) -> Iterator[Result | Lost[Chunk]]:
    """Yield results as workers finish; see `bulkdcm.engines.base.Engine`.

    Parameters
    ----------
    function, chunks
        As of an engine.
    pool
        Makes joblib's pool, and after a death makes it again.
    """
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
                results = pool()(tasks())
                with _closed(results):
                    for finished, result in results:
                        del pending[finished]
                        yield result
        except BrokenProcessPool:
            again = True
            lost = tuple(pending.values())
            pending.clear()
            yield Lost(lost)
        except OSError as error:
            raise _unstarted(error) from error


def _numbered(function: Callable[[Chunk], Result], number: int, chunk: Chunk) -> tuple[int, Result]:
    return number, function(chunk)


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
