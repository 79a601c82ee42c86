"""What the commands that run rows share: signals, progress, warnings and the summary."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bulkdcm.cli.output import say
from bulkdcm.cli.problems import show

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bulkdcm.report import Report


def shown_to_its_end(call: Callable[..., Report], manifest: Path, out: Path, options: dict[str, Any]) -> int:
    """Run `call` as a person watches it, print its summary, and return the exit code."""
    from rich.console import Console

    from bulkdcm import system
    from bulkdcm.cli.progress import shown
    from bulkdcm.errors import Terminated
    from bulkdcm.report import terminal

    with system.interruptible(Terminated), shown() as on_progress:
        report = call(manifest, out, on_progress=on_progress, keep_rows=False, **options)
    show(report.warnings)
    for note in report.notes:
        say(f"note: {note}", err=True)
    console = Console(highlight=False)
    for line in terminal.lines(report, str(out)):
        console.print(line, soft_wrap=True)
    if report.interrupted:
        say("interrupted: what was finished is kept. Run the same command again to go on.", err=True)
    return report.exit_code
