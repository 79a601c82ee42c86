"""Progress on the standard error: a bar on a terminal, a line now and then where there is none."""

from __future__ import annotations

import contextlib
import sys
import time
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from bulkdcm.cli.output import say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bulkdcm.conversion.execute import Progress

_LINE_EVERY_S = 10.0


@contextlib.contextmanager
def shown() -> Iterator[Callable[[Progress], None]]:
    """Yield the function to call with each `Progress`."""
    if not sys.stderr.isatty():
        yield _lines()
        return
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
        task = bar.add_task("converting", total=None, rate="", failures="")
        began = time.monotonic()

        def update(progress: Progress) -> None:
            done = progress.converted + progress.failed
            rate = f"{done / max(time.monotonic() - began, 1e-9):,.0f} images/s"
            failures = f"{progress.failed:,} failed" if progress.failed else ""
            bar.update(task, total=progress.rows, completed=done, rate=rate, failures=failures)

        yield update


def _lines() -> Callable[[Progress], None]:
    last = began = time.monotonic()

    def update(progress: Progress) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last < _LINE_EVERY_S:
            return
        last = now
        done = progress.converted + progress.failed
        rate = done / (now - began)
        left_s = (progress.rows - done) / rate if rate else 0
        say(
            f"{done:,} of {progress.rows:,} rows, {progress.failed:,} failed, {rate:,.0f} images/s, about {left_s:,.0f} s left",
            err=True,
        )

    return update
