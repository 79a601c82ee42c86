"""Every image read as a run would read it, before one: what a class will refuse, and what is damaged or missing."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bulkdcm import manifest, signals
from bulkdcm.attributes.dictionary import SOURCE
from bulkdcm.conversion import chunk
from bulkdcm.conversion.outcome import Failed
from bulkdcm.conversion.row import Attempt, crashed, timed_out
from bulkdcm.engines import ENGINES, Job, Recovery, Workers, cut
from bulkdcm.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Collection

    from bulkdcm.conversion.context import Context
    from bulkdcm.manifest import Manifest
    from bulkdcm.part import Part

Said = list[tuple[int, str]]
"""Ordinals of rows that would fail, each with the message."""


def examined(rows: Manifest, context: Context, without: Collection[int]) -> list[Problem]:
    """Return a problem for each row whose image can't be read, or can't be what the row asks for.

    Parameters
    ----------
    rows
        Resolved.
    context
        Of a run; nothing is written.
    without
        Lines of rows that are at fault already.
    """
    settings = context.settings
    engine = ENGINES[settings.backend]
    lines, followers = rows.lines.tolist(), set(rows.followers.tolist())
    left = [ordinal for ordinal, line in enumerate(lines) if ordinal not in followers and line not in without]
    workers = Workers(
        count=engine.workers(settings.n_jobs, settings.scheduler), address=settings.scheduler, loads=__name__
    )
    job = Job(
        run=partial(examine_chunk, context=context.for_workers(engine)),
        pack=partial(manifest.part, rows),
        number=int,
        give_up=partial(_given_up, rows=rows, context=context),
        timeout_s=settings.row_timeout_s,
        memory_bytes=context.memory_bytes(workers.count),
    )
    chunks = cut(left, len(left), workers.count, settings.chunk_size, lambda _: 0.0)
    said = sorted(one for result in Recovery(job, chunks, engine, workers) for one in result)
    sources = rows.column(SOURCE)
    return [_problem(lines[ordinal], sources[ordinal], message) for ordinal, message in said]


def examine_chunk(part: Part, context: Context) -> Said:
    """Return what is said of rows that would fail at their images.

    Raises
    ------
    ClusterError
        As `chunk.convert_chunk` does.
    """
    chunk.check_worker(context)
    found = []
    with signals.Deadline(context.settings.row_timeout_s) as deadline:
        for row in part.rows():
            attempt = Attempt(row)
            for step in (Attempt.read, Attempt.decode):
                chunk.take(attempt, step, deadline, context)
            if isinstance(attempt.outcome, Failed):
                found.append((row.ordinal, attempt.outcome.message))
    return found


def _given_up(ordinal: int, *, late: bool, rows: Manifest, context: Context) -> Said:
    (row,) = manifest.part(rows, [ordinal]).rows()
    outcome = timed_out(row, context.settings.row_timeout_s) if late else crashed(row)
    return [(ordinal, outcome.message)]


def _problem(line: int, source: str, message: str) -> Problem:
    rule, _, remedy = message.removeprefix(f"{source}: ").partition(". ")
    return Problem(lines=(line,), column=SOURCE, value=source, rule=rule.rstrip("."), remedy=remedy)
