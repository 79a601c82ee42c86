"""What makes worker processes ready, and protects a run from them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from bulkdcm import signals, system
from bulkdcm.engines.slots import OwnSlot

if TYPE_CHECKING:
    from collections.abc import Callable

    from bulkdcm.engines.base import Chunk, Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """Makes a process ready as it starts: it ends with its parent, leaves Ctrl-C to it, and imports what it will need.

    Attributes
    ----------
    parent
        Process id of the run.
    module
        What it imports.
    """

    parent: int
    module: str

    def __call__(self) -> None:
        """Make this process ready."""
        _follow(self.parent)
        import_module(self.module)


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """Makes a process ready for one run: beside the above it keeps its memory limit, and shows its item.

    Attributes
    ----------
    parent
        Process id of the run.
    slots
        Folder where workers say which item they are at.
    memory_bytes
        What a worker may allocate; 0 for no limit.
    """

    parent: int
    slots: str
    memory_bytes: int = 0

    def __call__(self) -> None:
        """Make this process ready, once.

        Raises
        ------
        RuntimeError
            If it is the run's own: the engine says that it works in others.
        """
        if _Process.of == self:
            return
        if os.getpid() == self.parent:
            msg = "an engine that names the row must run it in a process of its own"
            raise RuntimeError(msg)
        _follow(self.parent)
        system.limit_memory(self.memory_bytes)
        _Process.of, _Process.slot = self, OwnSlot(self.slots)


class _Process:
    """What this worker process has of its own."""

    parent = 0
    of: Guard | None = None
    slot: OwnSlot | None = None


def _follow(parent: int) -> None:
    if _Process.parent != parent:
        system.die_with(parent)
        signals.ignore_interrupts()
        _Process.parent = parent


def guarded(guard: Guard | None, function: Callable[[Chunk], Result], chunk: Chunk) -> Result:
    """Return ``function(chunk)``, in a process that is ready whether or not the engine saw to it."""
    if guard:
        guard()
    try:
        return function(chunk)
    finally:
        end()  # an item that ended the chunk is under way no more


def begin(number: int) -> None:
    """Say that the item of this number begins in this process; nothing where nobody asks."""
    if _Process.slot:
        _Process.slot.begin(number)


def end() -> None:
    """Say that no item is under way in it."""
    if _Process.slot:
        _Process.slot.end()
