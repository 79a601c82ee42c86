"""What has changed since another report, as people see it on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from bulkdcm.printable import visible
from bulkdcm.report.changes import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from bulkdcm.report.changes import Change, Changes

_SHOWN, _DIGITS = 20, 12


def lines(changes: Changes | None) -> Iterator[RenderableType]:
    """Yield what to print: how many rows differ in what, and the first of them."""
    if changes is None:
        return
    yield Text()
    counts = [f"{changes.counts[kind]:,} {KINDS[kind]}" for kind in KINDS if changes.counts[kind]]
    yield Text(f"beside the other report: {', '.join([f'{changes.same:,} the same', *counts])}", style="bold")
    for change in changes.rows[:_SHOWN]:
        yield Text(visible(f"line {change.line}: {change.source}: {_told(change)}"))
    if left := sum(changes.counts.values()) - min(len(changes.rows), _SHOWN):
        yield Text(f"and {left:,} more")


def _told(change: Change) -> str:
    if change.kind == "bytes":
        before, now = (text[:_DIGITS] or "none" for text in (change.before, change.now))
        return f"other bytes, {before} before, {now} now"
    if change.kind in {"new", "gone"}:
        return f"{KINDS[change.kind]}: {change.now or change.before}"
    return f"{change.before} before, {change.now} now"
