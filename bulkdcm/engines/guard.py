"""What protects a run from its worker processes, set up in each of them before it works."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bulkdcm import system
from bulkdcm.engines.slots import OwnSlot

if TYPE_CHECKING:
    from collections.abc import Callable

    from bulkdcm.engines.base import Chunk, Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """Makes a process ready: it ends with its parent, leaves Ctrl-C to it, keeps its memory limit, shows its item.

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
            Where it is the run's own: the engine says that it works in others.
        """
        if _Process.of == self:
            return
        if os.getpid() == self.parent:
            msg = "an engine that names the row must run it in a process of its own"
            raise RuntimeError(msg)
        system.die_with(self.parent)
        system.ignore_interrupts()
        system.limit_memory(self.memory_bytes)
        _Process.of, _Process.slot = self, OwnSlot(self.slots)


class _Process:
    """What this worker process has of its own."""

    of: Guard | None = None
    slot: OwnSlot | None = None


def guarded(guard: Guard | None, function: Callable[[Chunk], Result], chunk: Chunk) -> Result:
    """Return ``function(chunk)``, in a process that is ready whether or not the engine saw to it."""
    if guard:
        guard()
    return function(chunk)


def begin(number: int) -> None:
    """Say that the item of this number begins in this process; nothing where nobody asks."""
    if _Process.slot:
        _Process.slot.begin(number)


def end() -> None:
    """Say that no item is under way in it."""
    if _Process.slot:
        _Process.slot.end()
