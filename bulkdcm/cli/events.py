"""What a command tells programs while it runs: JSON lines and a log file.

Each event has the keys that `EVENTS` says. Names, values and messages that may name somebody are in them only if asked for.
"""

from __future__ import annotations

import contextlib
import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from bulkdcm._version import __version__
from bulkdcm.cli.keys import key
from bulkdcm.cli.taken import taken
from bulkdcm.errors import SettingsError
from bulkdcm.printable import visible
from bulkdcm.problem import cause

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from bulkdcm.model import Problem
    from bulkdcm.watch import Progress

    Sink = Callable[[str, Mapping[str, Any]], object]

_PROGRESS_EVERY_S = 1.0


class Kind(NamedTuple):
    """One kind of event.

    Attributes
    ----------
    meaning
        When it happens.
    level
        In a log file.
    keys
        What it holds, with the JSON type of each.
    identifying
        What it holds only if identifiers are asked for.
    """

    meaning: str
    level: str
    keys: dict[str, str]
    identifying: dict[str, str]


EVENTS = {
    "start": Kind("the command begins", "INFO", {"command": "string", "release": "string", "of": "string"}, {}),
    "settings": Kind(
        "options were taken from a settings file, or from the run that is gone on with",
        "INFO",
        {"of": "string", "options": "array"},
        {},
    ),
    "problem": Kind(
        "the check has found something in the manifest",
        "WARNING",
        {"severity": "string", "lines": "array", "column": "string", "rule": "string", "remedy": "string"},
        {"value": "string", "option": "string"},
    ),
    "progress": Kind("rows are done", "DEBUG", {"rows": "integer", "converted": "integer", "failed": "integer"}, {}),
    "failed": Kind(
        "a row has failed",
        "WARNING",
        {"line": "integer", "stage": "string", "error": "string", "cause": "string"},
        {"message": "string"},
    ),
    "finding": Kind(
        "`verify` has found something",
        "WARNING",
        {"kind": "string", "line": "integer", "where": "string"},
        {"path": "string", "what": "string"},
    ),
    "note": Kind("something to know of the run", "INFO", {"text": "string"}, {}),
    "refused": Kind(
        "the command ends by an error", "ERROR", {"exit_code": "integer", "cause": "string"}, {"message": "string"}
    ),
    "end": Kind("the command ends", "INFO", {"exit_code": "integer"}, {}),
}
"""By the value of the key ``event``; every event also has ``time``, in UTC. ``end`` also has what summary.json has, if there is one."""


def schema() -> dict[str, Any]:
    """Return the JSON schema of an event, which is a line."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "bulkdcm event",
        "oneOf": [
            {
                "description": f"{kind.meaning}.",
                "type": "object",
                "properties": {
                    "event": {"const": name},
                    "time": {"type": "string", "format": "date-time"},
                    **{key: {"type": of} for key, of in {**kind.keys, **kind.identifying}.items()},
                },
                "required": ["event", "time", *kind.keys],
                **({} if name == "end" else {"additionalProperties": False}),
            }
            for name, kind in EVENTS.items()
        ],
    }


class Events:
    """Gives events to whoever wants them.

    Parameters
    ----------
    sinks
        Each takes the name of an event and what it holds.
    identifiers
        Whether events say what may name somebody.
    """

    def __init__(self, sinks: Iterable[Sink], *, identifiers: bool = False) -> None:
        self._sinks, self._identifiers = tuple(sinks), identifiers
        self._told_s = -_PROGRESS_EVERY_S

    def tell(self, event: str, **facts: Any) -> None:
        """Give an event to all."""
        kind = EVENTS[event]
        if not self._identifiers:
            facts = {key: fact for key, fact in facts.items() if key not in kind.identifying}
        record = {"event": event, "time": datetime.now(UTC).isoformat(timespec="milliseconds"), **facts}
        for sink in self._sinks:
            sink(event, record)

    def problems(self, problems: Iterable[Problem]) -> None:
        """Tell problems, each value and column by itself."""
        for problem in (part for each in problems for part in each.parts or (each,)):
            rule, remedy = problem.rule, problem.remedy
            if not self._identifiers:
                rule, remedy = cause(rule), cause(remedy)
            self.tell(
                "problem",
                severity=problem.severity,
                lines=list(problem.lines),
                column=problem.column,
                rule=rule,
                value=problem.value,
                remedy=remedy,
                option=problem.option,
            )

    def progress(self, progress: Progress) -> None:
        """Tell rows that have failed, and how far the run has come, once a second and at its end."""
        for row in progress.failures:
            self.tell("failed", line=row.line, stage=row.stage, error=row.error, cause=row.cause, message=row.message)
        now = time.monotonic()
        if now - self._told_s >= _PROGRESS_EVERY_S or progress.converted + progress.failed == progress.rows:
            self._told_s = now
            self.tell("progress", rows=progress.rows, converted=progress.converted, failed=progress.failed)

    @contextlib.contextmanager
    def of(self, command: str, what: object) -> Iterator[Events]:
        """Tell the begin of a command on a manifest or an output folder, and the error that it ends by."""
        self.tell("start", command=command, release=__version__, of=str(what))
        if (found := taken()) and found.line:
            self.tell("settings", of=found.where, options=[key(name) for name in found.used])
        try:
            yield self
        except Exception as error:
            message = getattr(error, "message", str(error))
            self.problems(getattr(error, "problems", ()))
            self.tell("refused", exit_code=getattr(error, "exit_code", 1), cause=cause(message), message=message)
            raise


def without_examples(failures: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return failures by cause, as a summary has them, without messages that may name somebody."""
    return [{key: fact for key, fact in one.items() if key != "examples"} for one in failures]


def to_standard_output(_: str, record: Mapping[str, Any]) -> None:
    """Print an event as a line of JSON."""
    click.echo(json.dumps(record))


@contextlib.contextmanager
def to_log(path: Path) -> Iterator[Sink]:
    """Return what adds events to a log file, one line each: time, level, event, and what it holds.

    Raises
    ------
    SettingsError
        If the file can't be written.
    """
    try:
        file = path.open("a", encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        msg = f"--log-file {path}: {error.strerror}. Name a file that can be written."
        raise SettingsError(msg) from error

    def write(event: str, record: Mapping[str, Any]) -> None:
        level = EVENTS[event].level
        if event == "problem":
            level = {"error": "ERROR", "warning": "WARNING"}.get(record["severity"], "INFO")
        facts = " ".join(
            f"{key}={_worded(fact)}" for key, fact in record.items() if key not in {"event", "time"} and _is_short(fact)
        )
        file.write(visible(f"{record['time']} {level:<7} {event} {facts}") + "\n")
        file.flush()

    with file:
        yield write


def _is_short(fact: Any) -> bool:
    return not isinstance(fact, dict) and not (isinstance(fact, list) and any(isinstance(one, dict) for one in fact))


def _worded(fact: Any) -> str:
    return json.dumps(fact, ensure_ascii=False) if isinstance(fact, (str, list)) else str(fact)
