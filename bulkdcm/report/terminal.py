"""The summary as people see it at the end of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from bulkdcm.printable import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from bulkdcm.report.report import Report

_BAR, _CAUSES = 60, 20
# A colour and a sign each, so that they can be told apart without colours.
_SHADES = {
    "read": ("cyan", "░"),
    "decode": ("blue", "█"),
    "build": ("magenta", "▒"),
    "encode": ("yellow", "▓"),
    "store": ("green", "▚"),
}


def size(count: float) -> str:
    """Return a number of bytes for people."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def lines(report: Report, place: str, width: int = 80) -> Iterator[RenderableType]:
    """Yield what to print, from counts to reasons to the place of the report.

    Parameters
    ----------
    report
        On the run.
    place
        The file of it to look at.
    width
        Of the terminal, in characters.
    """
    facts = report.summary()
    yield _counts(facts)
    if facts["failures"]:
        yield Text()
        yield _failures(facts["failures"])
    yield Text()
    workers = f"{facts['workers']} worker{'s' if facts['workers'] != 1 else ''}"
    if facts["converted_now"]:
        yield Text(f"{facts['elapsed_s']:.1f} s with {workers}, {facts['images_per_s']:,} images/s")
        for name, what in (("source", "read"), ("output", "written")):
            yield Text(f"{size(facts[f'{name}_size_bytes'])} {what}, {facts[f'{name}_mb_per_s']:,} MB/s")
        yield from _stages(facts["stage_shares"], min(_BAR, width))
    else:
        yield Text(f"{facts['elapsed_s']:.1f} s")
    yield Text(visible(f"report: {place}"), style="bold")


def _counts(facts: dict[str, Any]) -> Text:
    text = Text()
    text.append(f"{facts['converted']:,} of {facts['rows']:,} rows converted", style="bold green")
    if before := facts["converted"] - facts["converted_now"]:
        text.append(f" ({before:,} of them before)")
    if facts["failed"]:
        text.append(f", {facts['failed']:,} failed", style="bold red")
        if kept := facts["earlier_outputs_kept"]:
            text.append(
                f" ({kept:,} {'keeps its' if kept == 1 else 'keep their'} earlier output{'' if kept == 1 else 's'})"
            )
    if facts["pending"]:
        text.append(f", {facts['pending']:,} pending", style="bold yellow")
    return text


def _failures(failures: list[dict[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("failed", justify="right")
    table.add_column("stage")
    table.add_column("reason", overflow="fold")
    for entry in failures[:_CAUSES]:
        text = entry["examples"][0]
        if entry["rows"] > 1:
            first, *more = entry["lines"]
            left = entry["rows"] - len(entry["lines"])
            lines = ", ".join(map(str, [first, *more])) + (f" and {left:,} more" if left else "")
            text = f"lines {lines}: {text.partition(': ')[2]}"
        table.add_row(f"{entry['rows']:,}", entry["stage"], Text(visible(text)))
    if others := failures[_CAUSES:]:
        table.add_row(f"{sum(entry['rows'] for entry in others):,}", "", "for other reasons, which the report tells")
    return table


def _stages(shares: dict[str, float], width: int) -> Iterator[Text]:
    bar, legend = Text(), Text()
    for name, share in shares.items():
        style, sign = _SHADES.get(name, ("white", "▞"))
        bar.append(sign * round(share * width), style=style)
        legend.append(f"{sign} ", style=style)
        legend.append(f"{name}\u00a0{share:.0%}  ")
    bar.truncate(width)
    yield bar
    yield legend
