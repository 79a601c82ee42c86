"""Rows through workers that may die: the rows at fault are found and fail, all others are converted."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from bulkdcm import slots, system
from bulkdcm.errors import StorageError
from bulkdcm.parallel import run_chunks
from bulkdcm.worker import ChunkResult, convert_chunk, crashed, prepare, timed_out

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from bulkdcm.model import ManifestRow
    from bulkdcm.parallel import Lost, Pool
    from bulkdcm.worker import Context

    Rows = tuple[ManifestRow, ...]

_TRIES_ALONE = 2
_DEATHS_WITHOUT_A_ROW = 3
_LOOK_EVERY_S = 0.25
# Of the time a worker has to end the row by itself, before it is killed: one long call into C hears no signal.
_GRACE = 1.25


class Queue:
    """Chunks still to run; lost ones come back. It gives more after it was empty, where more has come back."""

    def __init__(self, chunks: Iterable[Rows]) -> None:
        self._chunks = iter(chunks)
        self._back: deque[Rows] = deque()
        self._guard = threading.Lock()  # joblib takes chunks from a thread of its own
        self.ended = False

    def __iter__(self) -> Iterator[Rows]:
        return self

    def __next__(self) -> Rows:
        with self._guard:
            if self.ended:
                raise StopIteration
            return self._back.popleft() if self._back else next(self._chunks)

    def end(self) -> None:
        """Give no more."""
        with self._guard:
            self.ended = True

    def put_back(self, chunk: Rows) -> None:
        """Take a chunk again; an empty one is passed over."""
        if chunk:
            self._back.append(chunk)


class _Watch:
    """Kills workers that are over their row's time, and remembers which rows that were."""

    def __init__(self, folder: str, timeout_s: float) -> None:
        self.killed: set[int] = set()
        self._folder = folder
        self._limit_s = timeout_s * _GRACE + _LOOK_EVERY_S
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, name="bulkdcm-row-watch", daemon=True)
        if timeout_s:
            self._thread.start()

    def _look(self) -> None:
        while not self._stop.wait(_LOOK_EVERY_S):
            for slot in slots.under_way(self._folder):
                # A slot is read while it may be written: only one that stays the same counts.
                if time.monotonic() - slot.began_s > self._limit_s and slot in slots.under_way(self._folder):
                    self.killed.add(slot.ordinal)
                    system.kill(slot.pid)

    def end(self) -> None:
        """Stop watching."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()


def convert_rows(chunks: Iterable[Rows], context: Context, pool: Pool, record: Callable[[ChunkResult], bool]) -> bool:
    """Convert every row of `chunks`; return whether a worker died, which may have left a temporary file.

    Parameters
    ----------
    chunks
        The rows, as many together as a worker takes at once.
    context
        What the workers need; its slots are made here.
    pool
        Where they run.
    record
        Called in this process with each result; returns whether to go on.

    Raises
    ------
    StorageError
        Where workers keep dying without being at any row.
    """
    if pool.backend != "loky":
        if pool.backend == "dask":
            context = replace(context, parent=0, out_identity=(0, 0))  # another machine has other numbers
        return _go(Queue(chunks), context, pool, record)
    with slots.folder_of_run(pool.workers) as folder:
        context = replace(context, slots=folder, parent=os.getpid())
        pool = replace(pool, prepare=partial(prepare, context))
        return _go(Queue(chunks), context, pool, record)


def _go(queue: Queue, context: Context, pool: Pool, record: Callable[[ChunkResult], bool]) -> bool:
    watch = _Watch(context.slots, context.settings.row_timeout_s if context.slots else 0.0)
    deaths, died = 0, False
    later: list[ManifestRow] = []
    try:
        for result in run_chunks(partial(convert_chunk, context=context), queue, pool):
            if isinstance(result, ChunkResult):
                deaths = 0
                if not record(result):
                    queue.end()  # what is under way comes to its end and is recorded too
                continue
            died = True
            if queue.ended:
                continue
            if not context.slots:
                later += _singled_out(result, queue)
                continue
            alone = _take_apart(result, queue, {slot.ordinal for slot in slots.under_way(context.slots)})
            slots.clear(context.slots)
            deaths = 0 if alone else deaths + 1
            if deaths == _DEATHS_WITHOUT_A_ROW:
                msg = "workers die before they begin a row: the system may be out of memory, or the folder for temporary files full. Lower --n-jobs and run again."
                raise StorageError(msg)
            if not all(record(_alone(row, context, pool, watch)) for row in alone):
                queue.end()
        all(record(_alone(row, context, pool, watch)) for row in later if not queue.ended)
    finally:
        watch.end()
    return died


def _take_apart(lost: Lost[Rows], queue: Queue, suspects: set[int]) -> list[ManifestRow]:
    """Return the rows that workers were at when one died; put the others of their chunks back."""
    for chunk in lost.chunks:
        queue.put_back(tuple(row for row in chunk if row.ordinal not in suspects))
    return [row for chunk in lost.chunks for row in chunk if row.ordinal in suspects]


def _singled_out(lost: Lost[Rows], queue: Queue) -> list[ManifestRow]:
    """Put the rows of lost chunks back one by one; return those that were.

    A cluster doesn't say at which row a worker died, and blames tasks that only waited there too: a row that was lost by
    itself is tried again when no other is under way.
    """
    for chunk in lost.chunks:
        for row in chunk if len(chunk) > 1 else ():
            queue.put_back((row,))
    return [chunk[0] for chunk in lost.chunks if len(chunk) == 1]


def _alone(row: ManifestRow, context: Context, pool: Pool, watch: _Watch) -> ChunkResult:
    """Convert one row with no other beside it: whoever dies then is guilty."""
    single = replace(pool, n_jobs=1)
    for _ in range(_TRIES_ALONE if context.slots else 1):  # a cluster has tried it several times before it says so
        if row.ordinal in watch.killed:
            break
        for result in run_chunks(partial(convert_chunk, context=context), iter([(row,)]), single):
            if isinstance(result, ChunkResult):
                return result
            if context.slots:
                slots.clear(context.slots)
            break
    late = row.ordinal in watch.killed
    return ChunkResult(outcomes=(timed_out(row, context.settings.row_timeout_s) if late else crashed(row),))
