"""Signals and timers: a run that is interrupted, and a row that is over its time."""

from __future__ import annotations

import contextlib
import math
import os
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, Self

from bulkdcm import interrupts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

_LEAST_S = 0.001  # which a timer can be set for; 0 would stop it
_WAIT_S = 0.02  # after which a signal that came at the wrong moment comes again


class RowTimeoutError(BaseException):
    """Raised inside a row by a `Deadline`; a BaseException, so that no reader takes it for a damaged image."""


class Deadline:
    """Within a ``with`` block, raises `RowTimeoutError` in an item that is over its time; one timer for many items.

    It reaches Python code and sleeps; one long call into C is ended by the parent, which kills the worker.

    Parameters
    ----------
    limit_s
        For one item; 0 for any time.
    """

    def __init__(self, limit_s: float) -> None:
        usable = sys.platform != "win32" and threading.current_thread() is threading.main_thread()
        self._limit_s = limit_s if usable else 0.0
        self._began_s = math.inf  # less what the item had taken before; infinite while none is under way
        self._due_s = math.inf  # when the timer will go off
        self._before: Any = None

    def __enter__(self) -> Self:
        if sys.platform != "win32" and self._limit_s:
            self._before = signal.signal(signal.SIGALRM, self._look)
        return self

    def __exit__(self, *exception: object) -> None:
        if sys.platform != "win32" and self._limit_s:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, self._before)

    def of(self, function: Callable[..., None], spent_s: float) -> Callable[..., None]:
        """Return a function as a part of an item that has taken `spent_s` so far."""
        if not self._limit_s:
            return function

        def limited(*arguments: Any) -> None:
            try:
                self._began_s = time.monotonic() - spent_s
                if self._began_s + self._limit_s < self._due_s:  # else it goes off before, and looks
                    self._set()
                function(*arguments)
            finally:
                self._began_s = math.inf

        return limited

    def _set(self) -> None:
        self._due_s = self._began_s + self._limit_s
        if sys.platform != "win32":
            signal.setitimer(signal.ITIMER_REAL, max(self._due_s - time.monotonic(), _LEAST_S))

    def _look(self, signum: int, frame: FrameType | None) -> None:
        """Find out whether the item under way is over its time; the timer may have been set for an earlier one."""
        del signum, frame
        self._due_s = math.inf
        if self._began_s == math.inf:  # none is under way
            return
        if time.monotonic() - self._began_s >= self._limit_s:
            raise RowTimeoutError
        self._set()


def ignore_interrupts() -> None:
    """Leave Ctrl-C to the parent, which ends its workers in order."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextlib.contextmanager
def interruptible(terminated: Callable[[], BaseException]) -> Iterator[None]:
    """Within the block, raise KeyboardInterrupt on SIGINT and `terminated()` on SIGTERM; a second signal ends at once."""

    def stop(signum: int, frame: FrameType | None) -> None:
        if interrupts.must_wait(frame):
            threading.Timer(_WAIT_S, _again, (signum,)).start()
            return
        for again in (signal.SIGINT, signal.SIGTERM):
            signal.signal(again, _end_now)
        raise terminated() if signum == signal.SIGTERM else KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _again(signum: int) -> None:
    if sys.platform == "win32":
        signal.raise_signal(signum)  # another process's kill would end this one there
    else:
        os.kill(os.getpid(), signum)  # reaches the main thread, whatever it waits for


def _end_now(signum: int, frame: FrameType | None) -> None:
    del frame
    os._exit(128 + signum)
