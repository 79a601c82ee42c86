"""What happened, and how it went: totals, causes, what is new, rates and where the time went."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from bulkdcm.printable import visible
from bulkdcm.report.changes import KINDS
from bulkdcm.report.html import charts, words

if TYPE_CHECKING:
    from bulkdcm.report.html.facts import Extreme, Facts
    from bulkdcm.report.report import Report
    from bulkdcm.report.tally import Cause

_MOST_CAUSES, _MOST_CHANGES, _MOST_WORKERS = 50, 200, 8


class Failure(NamedTuple):
    """Rows that failed for one cause, in words that the page may say."""

    rows: int
    stage: str
    what: str
    remedy: str
    lines: str
    examples: list[str]
    key: str
    """As the table's column of reasons has it, so that a click shows the rows; empty if their texts differ."""


def happened(report: Report, facts: Facts) -> dict[str, Any]:
    """Return the totals, the causes of failures, what is new and what has changed."""
    tally = report.rows.tally
    rows, kept = len(report.rows), tally.earlier_kept
    counts = {status: tally.statuses[status] for status in ("converted", "failed", "pending")}
    parts = [
        ("converted", "converted", counts["converted"]),
        ("failed", "failed", counts["failed"] - kept),
        ("kept", "failed, earlier output kept", kept),
        ("pending", "pending", counts["pending"]),
    ]
    failures = [_failure(cause, identifiers=report.look.identifiers) for cause in tally.causes[:_MOST_CAUSES]]
    return {
        "rows": rows,
        **counts,
        "kept": kept,
        "bar": charts.bar([(name, label, number, words.count(number)) for name, label, number in parts]),
        "verdict": _verdict(report, counts),
        "failures": failures,
        "more_causes": max(len(tally.causes) - _MOST_CAUSES, 0),
        "new": _new(facts),
        "ran": sum(tally.ran_statuses.values()),
        "distinct": facts.distinct(),
        "warnings": [visible(text) if report.look.identifiers else words.told(text) for text in report.warning_texts],
        "notes": [visible(note) for note in report.notes] if report.look.identifiers else [],
        "notes_hidden": 0 if report.look.identifiers else len(report.notes),
        "changes": _changes(report),
    }


def _verdict(report: Report, counts: dict[str, int]) -> tuple[str, str]:
    """Return the kind of a report's verdict, and the sentence."""
    rows, done = len(report.rows), counts["converted"]
    told = f"{done:,} of {words.count(rows, 'row')} converted"
    if report.state == "running":
        return "running", f"A run is under way: {told} so far."
    if report.state == "killed":
        return "stopped", f"The run was ended from outside before it was done: {told}. The same command goes on."
    if report.interrupted:
        return "stopped", f"The run was interrupted: {told}. The same command goes on."
    if counts["failed"]:
        return "failed", f"{told}, {counts['failed']:,} failed."
    if counts["pending"]:
        return "stopped", f"{told}, {counts['pending']:,} pending."
    return "converted", f"All {words.count(rows, 'row')} converted." if rows else "The manifest has no rows."


def _failure(cause: Cause, *, identifiers: bool) -> Failure:
    told = words.without_names(cause.told)
    what, remedy = words.parted(told)
    lines = ", ".join(f"{line:,}" for line in cause.lines)
    more = cause.rows - len(cause.lines)
    examples = [visible(example) for example in cause.examples] if identifiers else []
    return Failure(
        rows=cause.rows,
        stage=cause.stage,
        what=visible(what or cause.error or "no message").replace("….", "…"),
        remedy=visible(remedy),
        lines=f"{'line' if cause.rows == 1 else 'lines'} {lines}{f' and {more:,} more' if more else ''}",
        examples=examples,
        key="" if identifiers else told,
    )


def _new(facts: Facts) -> list[tuple[str, int, str]]:
    """Return what this run did with rows: what became of them, how many, and the kind of it."""
    found: dict[tuple[str, str], int] = {}
    for (reason, status), count in facts.reasons.items():
        again = (reason or "").startswith("failed before")
        if status == "converted":
            told = (
                ("converted, failed before", "converted") if again else (f"converted: {reason or 'new'}", "converted")
            )
        else:
            told = ("failed again", "failed") if again else (f"failed: {reason or 'new'}", "failed")
        found[told] = found.get(told, 0) + count
    ordered = sorted(found.items(), key=lambda item: (item[0][1] != "failed", -item[1], item[0][0]))
    return [(text, count, kind) for (text, kind), count in ordered]


def _changes(report: Report) -> dict[str, Any] | None:
    changes = report.changes
    if changes is None:
        return None
    shown = changes.rows[:_MOST_CHANGES]
    identifiers = report.look.identifiers
    told = [
        {
            "kind": KINDS[change.kind],
            "line": change.line,
            "source": visible(change.source) if identifiers else words.ending(change.source),
            "before": _side(change.before, change.source, change.kind, identifiers=identifiers),
            "now": _side(change.now, change.source, change.kind, identifiers=identifiers),
        }
        for change in shown
    ]
    return {
        "same": changes.same,
        "counts": [(KINDS[kind], changes.counts[kind]) for kind in KINDS if changes.counts[kind]],
        "rows": told,
        "more": sum(changes.counts.values()) - len(told),
    }


def _side(text: str, source: str, kind: str, *, identifiers: bool) -> str:
    if kind == "bytes":
        return f"{text[:12]}…" if text else "none"
    if kind == "reason":
        return words.reason(text, (source,), identifiers=identifiers)
    return visible(text)


def went(report: Report, facts: Facts) -> dict[str, Any]:
    """Return rates, stages, workers, attempts and the rows that stand out."""
    summary = report.summary()
    curve = charts.pace(report.pace, report.elapsed_s)
    shares = [(name, name, spent, f"{spent:.0%}") for name, spent in summary["stage_shares"].items()]
    workers = [
        (f"worker {number}", rows, words.duration(spent))
        for number, (rows, spent) in enumerate(facts.workers.values(), start=1)
    ]
    attempts = {
        f"{words.count(n, 'attempt')}" if n else "not tried": rows for n, rows in facts.counts["attempt"].items()
    }
    return {
        "summary": summary,
        "elapsed": words.duration(report.elapsed_s),
        "curve": curve,
        "stages": charts.bar(shares),
        "workers": workers[:_MOST_WORKERS],
        "more_workers": max(len(workers) - _MOST_WORKERS, 0),
        "attempts": charts.ranking(attempts),
        "slowest": _extremes(facts.slowest, words.duration, identifiers=report.look.identifiers),
        "largest": _extremes(facts.largest, words.size, identifiers=report.look.identifiers),
    }


def _extremes(rows: list[Extreme], told: Any, *, identifiers: bool) -> list[tuple[int, str, str]]:
    return [
        (row.line, told(row.measure), visible(row.source) if identifiers else words.ending(row.source)) for row in rows
    ]
