"""Items through workers that may die: those at fault are found and given up, all others are done."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections import deque
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from bulkdcm import system
from bulkdcm.engines import slots
from bulkdcm.engines.base import Item, Lost, Result
from bulkdcm.engines.guard import Guard, guarded
from bulkdcm.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from bulkdcm.engines.base import Engine, Workers

Gone_contra = TypeVar("Gone_contra", contravariant=True)
Said_co = TypeVar("Said_co", covariant=True)

_TRIES_ALONE = 4  # a system that kills whatever takes memory may hit an innocent one twice
_DEATHS_WITHOUT_AN_ITEM = 3
_LOOK_EVERY_S = 0.25
# Of the time a worker has to end the item by itself, before it is killed: one long call into C hears no signal.
_GRACE = 1.25


class GiveUp(Protocol[Gone_contra, Said_co]):
    """Says what becomes of an item that can't be done."""

    def __call__(self, item: Gone_contra, /, *, late: bool) -> Said_co:
        """Return it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Job(Generic[Item, Result]):
    """What is done with each item.

    Attributes
    ----------
    run
        Does a chunk of items in a worker; must not raise. It tells `guard.begin` which item it is at.
    pack
        Returns a chunk as it is sent to a worker, which gives the same items when iterated over. Called from whichever
        thread hands out work.
    number
        Of an item, as `guard.begin` was told.
    give_up
        Returns what is said of an item that kills every worker that tries it or, with `late`, is over its time.
    timeout_s
        For one item; 0 for any time. Workers are to see to it themselves; one that can't is killed.
    memory_bytes
        What a worker may allocate; 0 for no limit.
    """

    run: Callable[[Any], Result]
    number: Callable[[Item], int]
    give_up: GiveUp[Item, Result]
    pack: Callable[[tuple[Item, ...]], Iterable[Item]] = tuple
    timeout_s: float = 0.0
    memory_bytes: int = 0


class _Queue(Generic[Item]):
    """Chunks still to run; lost ones come back. It gives more after it was empty, where more has come back."""

    def __init__(self, chunks: Iterable[tuple[Item, ...]], pack: Callable[[tuple[Item, ...]], Iterable[Item]]) -> None:
        self._chunks = iter(chunks)
        self._pack = pack
        self._back: deque[tuple[Item, ...]] = deque()
        self._guard = threading.Lock()  # joblib takes chunks from a thread of its own
        self.ended = False

    def __iter__(self) -> Iterator[Iterable[Item]]:
        return self

    def __next__(self) -> Iterable[Item]:
        with self._guard:
            if self.ended:
                raise StopIteration
            return self._pack(self._back.popleft() if self._back else next(self._chunks))

    def end(self) -> None:
        """Give no more."""
        with self._guard:
            self.ended = True

    def put_back(self, chunk: tuple[Item, ...]) -> None:
        """Take a chunk again; an empty one is passed over."""
        if chunk:
            self._back.append(chunk)


class _Watch:
    """Kills workers that are over their item's time, and remembers which items that were."""

    def __init__(self, folder: str, timeout_s: float) -> None:
        self.killed: set[int] = set()
        self.folder = folder
        self._limit_s = timeout_s * _GRACE + _LOOK_EVERY_S
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, name="bulkdcm-watch", daemon=True)
        if timeout_s:
            self._thread.start()

    def _look(self) -> None:
        while not self._stop.wait(_LOOK_EVERY_S):
            for slot in slots.under_way(self.folder):
                # A slot is read while it may be written: only one that stays the same counts.
                if time.monotonic() - slot.began_s > self._limit_s and slot in slots.under_way(self.folder):
                    self.killed.add(slot.number)
                    system.kill(slot.pid)

    def end(self) -> None:
        """Stop watching."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()


class Recovery(Generic[Item, Result]):
    """The results of all items, as they come, whoever dies.

    Parameters
    ----------
    job
        What is done with each.
    chunks
        The items, as many together as a worker takes at once.
    engine, workers
        Who does it.
    """

    def __init__(
        self, job: Job[Item, Result], chunks: Iterable[tuple[Item, ...]], engine: Engine, workers: Workers
    ) -> None:
        self.died = False
        """Whether a worker died, which may have left something half done."""
        self._job, self._engine, self._workers = job, engine, workers
        self._queue = _Queue(chunks, job.pack)
        self._deaths = 0

    def end(self) -> None:
        """Begin nothing more; what is under way comes to its end and has its result."""
        self._queue.end()

    def __iter__(self) -> Iterator[Result]:
        """Yield the results.

        Raises
        ------
        StorageError
            If workers can't be started, or keep dying without being at any item.
        ClusterError
            If the cluster can't go on.
        """
        if self._engine.names_the_row:
            yield from self._with_names()
        else:
            yield from self._without_names()

    def _with_names(self) -> Iterator[Result]:
        """Whoever died says which item it was at: that one is tried alone, and what was beside it goes on."""
        with slots.folder_of_run(self._workers.count) as folder, _watching(folder, self._job.timeout_s) as watch:
            guard = Guard(parent=os.getpid(), slots=folder, memory_bytes=self._job.memory_bytes)
            function = partial(guarded, guard, self._job.run)
            for result in self._engine.run(function, self._queue, self._workers):
                if not isinstance(result, Lost):
                    self._deaths = 0
                    yield result
                    continue
                self.died = True
                if self._queue.ended:
                    continue
                for item in self._suspects(result, folder):
                    if not self._queue.ended:
                        yield self._alone(item, function, watch)

    def _suspects(self, lost: Lost[Iterable[Item]], folder: str) -> list[Item]:
        """Return the items that workers were at when one died; put the others of their chunks back."""
        numbers = {slot.number for slot in slots.under_way(folder)}
        slots.clear(folder)
        suspects = []
        for chunk in lost.chunks:
            self._queue.put_back(tuple(item for item in chunk if self._job.number(item) not in numbers))
            suspects += [item for item in chunk if self._job.number(item) in numbers]
        self._deaths = 0 if suspects else self._deaths + 1
        if self._deaths == _DEATHS_WITHOUT_AN_ITEM:
            msg = "workers die before they begin a row: the system may be out of memory, or the folder for temporary files full. Lower --n-jobs and run again."
            raise StorageError(msg)
        return suspects

    def _alone(self, item: Item, function: Callable[..., Result], watch: _Watch) -> Result:
        """Do one item with no other beside it: whoever dies then is guilty."""
        for _ in range(_TRIES_ALONE):
            if self._job.number(item) in watch.killed:
                break
            alone = iter([self._job.pack((item,))])
            for result in self._engine.run(function, alone, replace(self._workers, count=1)):
                if not isinstance(result, Lost):
                    return result
                slots.clear(watch.folder)
                break
        return self._job.give_up(item, late=self._job.number(item) in watch.killed)

    def _without_names(self) -> Iterator[Result]:
        """Find who is guilty by themselves: nobody says at which item a worker died, and a cluster blames what only waited.

        The items of a lost chunk go back one by one, and one that is lost by itself is tried again when no other is under
        way.
        """
        later: list[Item] = []
        for result in self._engine.run(self._job.run, self._queue, self._workers):
            if not isinstance(result, Lost):
                yield result
                continue
            self.died = True
            for chunk in () if self._queue.ended else result.chunks:
                items = tuple(chunk)
                for item in items if len(items) > 1 else ():
                    self._queue.put_back((item,))
                later += items if len(items) == 1 else ()
        for item in later:
            if not self._queue.ended:
                # The cluster itself has tried it several times before it says so.
                alone = iter([self._job.pack((item,))])
                for result in self._engine.run(self._job.run, alone, replace(self._workers, count=1)):
                    yield self._job.give_up(item, late=False) if isinstance(result, Lost) else result


@contextlib.contextmanager
def _watching(folder: str, timeout_s: float) -> Iterator[_Watch]:
    watch = _Watch(folder, timeout_s)
    try:
        yield watch
    finally:
        watch.end()
