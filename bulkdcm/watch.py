"""How people watch a run: a bar on a terminal or in a notebook, else a line on the standard error now and then."""

from __future__ import annotations

import contextlib
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Watcher = Callable[["Progress"], None]

_LINE_EVERY_S, _NOTEBOOK_EVERY_S = 10.0, 0.5


class RowFailure(NamedTuple):
    """Why a row failed.

    Attributes
    ----------
    line
        Of the manifest.
    stage, error, message
        As in the report.
    cause
        The message without the names, values and numbers of this row.
    """

    line: int
    stage: str
    error: str
    message: str
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a run has come, in rows; those done before are counted as converted.

    Attributes
    ----------
    rows
        To be done in all.
    converted, failed
        Of these.
    failures
        The rows that have failed since the last time.
    """

    rows: int
    converted: int = 0
    failed: int = 0
    failures: tuple[RowFailure, ...] = ()


@contextlib.contextmanager
def watched(progress: bool | Watcher, task: str = "converting") -> Iterator[Watcher | None]:  # noqa: FBT001  # as callers have it
    """Yield the function to call with each `Progress`, if there is one.

    Parameters
    ----------
    progress
        That function, or whether people are to see something.
    task
        What is done, for a terminal.
    """
    if callable(progress):
        yield progress
    elif not progress:
        yield None
    elif (display := _notebook_display()) is not None:
        yield _throttled(_in_notebook(display), _NOTEBOOK_EVERY_S)
    elif sys.stderr.isatty():
        with _bar(task) as update:
            yield update
    else:
        yield _throttled(_line(), _LINE_EVERY_S, first=False)


@contextlib.contextmanager
def _bar(doing: str) -> Iterator[Watcher]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    bar = Bar(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TextColumn("[red]{task.fields[failures]}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        refresh_per_second=2,  # each takes some ms from the workers
    )
    with bar:
        task = bar.add_task(doing, total=None, rate="", failures="")
        began = time.monotonic()

        def update(progress: Progress) -> None:
            done = progress.converted + progress.failed
            rate = f"{done / max(time.monotonic() - began, 1e-9):,.0f} images/s"
            failures = f"{progress.failed:,} failed" if progress.failed else ""
            bar.update(task, total=progress.rows, completed=done, rate=rate, failures=failures)

        yield update


def _throttled(show: Watcher, every_s: float, *, first: bool = True) -> Watcher:
    """Return a function that shows progress no more often than this, and at its end if it did before."""
    last = time.monotonic() - (every_s if first else 0.0)

    def update(progress: Progress) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= every_s or (first and progress.converted + progress.failed == progress.rows):
            last = now
            show(progress)

    return update


def _line() -> Watcher:
    began = time.monotonic()

    def show(progress: Progress) -> None:
        sys.stderr.write(_words(progress, time.monotonic() - began) + "\n")

    return show


def _words(progress: Progress, elapsed_s: float) -> str:
    done = progress.converted + progress.failed
    rate = done / max(elapsed_s, 1e-9)
    left_s = (progress.rows - done) / rate if rate else 0
    return f"{done:,} of {progress.rows:,} rows, {progress.failed:,} failed, {rate:,.0f} images/s, about {left_s:,.0f} s left"


def _notebook_display() -> Any:
    """Return what shows and changes HTML in a notebook; None if this is none."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if shell is None or not hasattr(shell, "kernel"):
        return None
    from IPython import display as shown

    html: Any = shown.HTML
    handle: Any = shown.display(html(""), display_id=True)  # type: ignore[no-untyped-call]  # IPython has no types here
    return lambda text: handle.update(html(text))


def _in_notebook(display: Callable[[str], object]) -> Watcher:
    began = time.monotonic()

    def show(progress: Progress) -> None:
        done = progress.converted + progress.failed
        words = _words(progress, time.monotonic() - began)
        display(f'<progress value="{done}" max="{max(1, progress.rows)}" style="width:20em"></progress> {words}')

    return show
