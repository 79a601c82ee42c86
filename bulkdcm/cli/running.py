"""What the commands that run rows share: signals, progress, events, warnings and the summary."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bulkdcm.cli import metrics
from bulkdcm.cli.events import Events, to_log, to_standard_output, without_examples
from bulkdcm.cli.output import say
from bulkdcm.cli.problems import show
from bulkdcm.errors import RunError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bulkdcm.cli.events import Sink
    from bulkdcm.report import Report
    from bulkdcm.watch import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Who is told what of a run; the options of the command line."""

    as_json: bool
    identifiers: bool
    log_file: Path | None
    quiet: bool
    verbose: bool
    metrics: Path | None

    @classmethod
    def of(cls, options: dict[str, Any]) -> Told:
        """Return those among a command's options, which are taken out."""
        return cls(**{name: options.pop(name) for name in cls.__dataclass_fields__})

    @property
    def silent(self) -> bool:
        """Whether people are told of errors alone."""
        return self.quiet or self.as_json

    @contextlib.contextmanager
    def events(self) -> Iterator[Events]:
        """Yield what takes events."""
        with contextlib.ExitStack() as opened:
            sinks: list[Sink] = [to_standard_output] if self.as_json else []
            if self.log_file:
                sinks.append(opened.enter_context(to_log(self.log_file)))
            yield Events(sinks, identifiers=self.identifiers)

    @contextlib.contextmanager
    def measured(self) -> Iterator[None]:
        """Write the figures of a run that ends by an error, too."""
        if self.metrics:
            metrics.check_metrics(self.metrics)
        try:
            yield
        except RunError as error:
            if self.metrics:
                facts = {"exit_code": error.exit_code, "ended_at": datetime.now(UTC).isoformat()}
                metrics.write_metrics(self.metrics, facts)
            raise


def shown_to_its_end(call: Callable[..., Report], manifest: Path, out: Path, options: dict[str, Any]) -> int:
    """Run `call` as a person or a program watches it, tell its summary, and return the exit code."""
    from bulkdcm import signals, watch
    from bulkdcm.errors import Terminated

    told = Told.of(options)
    with told.measured(), told.events() as events, events.of(call.__name__, manifest):
        with signals.interruptible(Terminated), watch.watched(not told.silent) as show_progress:

            def take(progress: Progress) -> None:
                if show_progress:
                    show_progress(progress)
                events.progress(progress)
                for row in progress.failures if told.verbose else ():
                    say(f"line {row.line}: {row.stage}: {row.message}", err=True, prefix="failed: ")

            report = call(manifest, out, progress=take, keep_rows=False, **options)
        _tell_end(report, events, told)
    if not told.silent:
        _print_end(report, out)
    return report.exit_code


def _tell_end(report: Report, events: Events, told: Told) -> None:
    summary = report.summary()
    events.problems(report.warnings)
    for note in report.notes:
        events.tell("note", text=note)
    failures = summary["failures"] if told.identifiers else without_examples(summary["failures"])
    facts = {key: fact for key, fact in summary.items() if key not in {"warnings", "notes", "failures", "refused"}}
    events.tell("end", **facts, failures=failures)
    if told.metrics:
        metrics.write_metrics(told.metrics, summary)


def _print_end(report: Report, out: Path) -> None:
    from rich.console import Console

    from bulkdcm.report import PAGE, terminal

    show(report.warnings)
    for note in report.notes:
        say(f"note: {note}", err=True)
    console = Console(highlight=False)
    for line in terminal.lines(report, str(out / PAGE), console.width):
        console.print(line, soft_wrap=not console.is_terminal)
    if report.interrupted:
        say("interrupted: what was finished is kept. Run the same command again to go on.", err=True)
