"""What an engine is: who runs chunks of items, as facts that others ask for, and one way to run them."""

from __future__ import annotations

import contextlib
import math
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager

Item = TypeVar("Item")
Chunk = TypeVar("Chunk")
Result = TypeVar("Result")

_CHUNK_S, _LARGEST_CHUNK = 0.3, 256
_CHUNKS_A_WORKER = 4  # of what is left


@dataclass(frozen=True, slots=True)
class Lost(Generic[Chunk]):
    """Workers died: these chunks were under way and have no result. The others go on with new workers."""

    chunks: tuple[Chunk, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Workers:
    """Who runs the chunks.

    Attributes
    ----------
    count
        How many there are.
    address
        Of the cluster they belong to, as ``tcp://host:8786``; empty on this machine.
    loads
        Module that processes import as they start, with all that their work needs; empty for none.
    """

    count: int
    address: str = ""
    loads: str = ""


@runtime_checkable
class Engine(Protocol):
    """Runs chunks. What others need to know of it is a fact here, never its name.

    Attributes
    ----------
    same_machine
        Whether workers know this machine's processes, and its folders by their numbers.
    names_the_row
        Whether workers are processes of their own on this machine, which say at which row they are, end with the run,
        and take nobody with them when they die.
    stops_a_row
        Whether a row that is over its time can be ended.
    limits_memory
        Whether a worker's memory can be limited.
    needs_address
        Whether it is a cluster, which has an address and workers of its own.
    """

    same_machine: bool
    names_the_row: bool
    stops_a_row: bool
    limits_memory: bool
    needs_address: bool

    def workers(self, asked: int, address: str) -> int:
        """Return how many workers there will be.

        Parameters
        ----------
        asked
            By the user; 0 for as many as there is room for, -1 too, -2 for one less than that.
        address
            Of the cluster, or empty.

        Raises
        ------
        ClusterError
            If there is no such cluster.
        """
        ...

    def started(self, workers: Workers) -> AbstractContextManager[None]:
        """Return a block in which workers start while the caller is at something else, for `run` within it; they end with it.

        Parameters
        ----------
        workers
            As `run` will have them. What goes wrong is said there.
        """
        ...

    def run(
        self, function: Callable[[Chunk], Result], chunks: Iterator[Chunk], workers: Workers
    ) -> Iterator[Result | Lost[Chunk]]:
        """Yield ``function(chunk)`` for each chunk as it finishes.

        Parameters
        ----------
        function
            Must not raise; importable by name where workers are processes.
        chunks
            Taken lazily, a few ahead of the workers. It may have more to give again after a `Lost`.
        workers
            Who runs them.

        Raises
        ------
        ClusterError
            If the cluster can't be reached, can't run this, or is gone.
        StorageError
            If workers can't be started.
        """
        ...


class OnThisMachine:
    """What engines whose workers are on this machine have in common."""

    same_machine = True
    needs_address = False

    def workers(self, asked: int, address: str) -> int:
        """Return as many as asked, or one per core; negative numbers as joblib counts them."""
        del address
        return asked if asked > 0 else max(1, cores() + (asked + 1 if asked else 0))

    def started(self, workers: Workers) -> AbstractContextManager[None]:
        """Return a block in which nothing happens: workers are quick to start."""
        del workers
        return contextlib.nullcontext()


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


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
