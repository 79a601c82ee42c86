"""One run between its preflight and its report: the rows of a plan through workers into the ledger."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from bulkdcm import manifest, system
from bulkdcm.conversion import chunk, dependencies
from bulkdcm.conversion.listing import listing_of
from bulkdcm.conversion.plan import DONE
from bulkdcm.conversion.recording import Recording
from bulkdcm.conversion.row import unmet
from bulkdcm.conversion.settlement import Settlement
from bulkdcm.engines import ENGINES, Job, Recovery, Workers, cut
from bulkdcm.errors import Terminated
from bulkdcm.part import Extra
from bulkdcm.settings import NATIVE
from bulkdcm.watch import Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bulkdcm.conversion.context import Context
    from bulkdcm.conversion.outcome import ChunkResult
    from bulkdcm.conversion.work import Work
    from bulkdcm.ledger.ledger import Ledger
    from bulkdcm.model import Reference
    from bulkdcm.part import Part

References = dict[int, "tuple[Reference, ...] | None"]
# Of an image on one core: what every one takes, and what each byte of it adds; only for the size of chunks.
_ROW_S, _BYTE_S, _COMPRESSED_BYTE_S = 0.0004, 1e-8, 2e-7


class Execution:
    """One run between its preflight and its report.

    Parameters
    ----------
    work
        What is to be done, and what is known of it.
    ledger
        Open, and following the manifest's order.
    context
        What the workers need.
    on_progress
        Called after each chunk.

    Attributes
    ----------
    recording
        What has been recorded.
    listing
        How the rows are named, for the report.
    settlement
        What became of files that were in the way, or are no row's any more.
    stopped
        Why the run stopped before its end; empty where it didn't.
    """

    def __init__(
        self, work: Work, ledger: Ledger, context: Context, on_progress: Callable[[Progress], None] | None
    ) -> None:
        self.work, self.rows, self.plan = work, work.rows, work.plan
        self.ledger, self.on_progress, self.context = ledger, on_progress, context
        settings = context.settings
        self.engine = ENGINES[settings.backend]
        self.workers = Workers(
            count=self.engine.workers(settings.n_jobs, settings.scheduler),
            address=settings.scheduler,
            loads=chunk.__name__,
        )
        self.recording = Recording(work, ledger, context)
        self.settlement = Settlement(self.recording)
        self.listing = listing_of(work.rows)
        self.stopped = ""
        self._held = set(self.plan.outputs)
        rows = sum(len(self.rows.frames.get(ordinal, (0,))) for level in work.levels for ordinal in level)
        done = self.plan.reasons.count(DONE)
        total = done + len(work.invalid) + rows if settings.selects else len(self.rows)
        self._progress = Progress(rows=total, converted=done)

    @property
    def notes(self) -> list[str]:
        """What the user should know of the run."""
        return [*self.ledger.notes, *system.missing_protection(), *self.settlement.notes]

    def go(self, asked: Mapping[str, str]) -> int:
        """Convert what is left; return the number of the signal that interrupted the run, or 0.

        Parameters
        ----------
        asked
            What the run was asked for, for the ledger.
        """
        outputs = self.context.outputs
        if self.ledger.left_unclean:
            outputs.clear()
        self.ledger.mark("running")
        useful = max(1, math.ceil(self.work.count / (self.context.settings.chunk_size or 1)))  # more would be idle
        self.workers = replace(self.workers, count=min(self.workers.count, useful))
        self.ledger.renumber(self.plan.moves, self.listing, self._told(asked))
        self.ledger.amend("source_version", self.plan.touched)
        interrupted = 0
        try:
            self._count(0, self.recording.fail(self.work.invalid))
            for level in self.work.levels:
                self._settle()  # later levels refer to files that are in place
                if not self._run(level):
                    break
        except Terminated:
            interrupted = 143
        except KeyboardInterrupt:
            interrupted = 130
        if self.stopped or interrupted:
            for outcome in self.recording.staged:
                outputs.drop(outcome.stored.staged)
        else:
            self._settle()
            self.settlement.tidy()
        return interrupted

    def _told(self, asked: Mapping[str, str]) -> dict[str, Any]:
        """Return what a report must know of the run if it is killed."""
        settings = self.context.settings
        unchanged = self.work.unchanged()
        return {"asked": asked, "workers": self.workers.count, "partial": settings.selects, "unchanged": unchanged}

    def _settle(self) -> None:
        self.context.outputs.check()
        self.settlement.settle()

    def _run(self, level: Sequence[int]) -> bool:
        """Convert the rows of one level; return whether to go on with the next."""
        references = self._references(level)
        rows = [ordinal for ordinal in level if references.get(ordinal, ()) is not None]
        chunks = cut(rows, len(rows), self.workers.count, self.context.settings.chunk_size, self._seconds_of)
        recovery = Recovery(self._job(references), chunks, self.engine, self.workers)
        goes_on = True
        for result in recovery:
            if not self._take(result):
                recovery.end()
                goes_on = False
        if recovery.died:
            self.context.outputs.clear(keep={outcome.stored.staged for outcome in self.recording.staged})
        return goes_on

    def _job(self, references: References) -> Job[int, ChunkResult]:
        """Return what workers do with each row, which is known by its ordinal."""
        return Job(
            run=partial(chunk.convert_chunk, context=self.context.for_workers(self.engine)),
            pack=partial(self._packed, references=references),
            number=int,
            give_up=self._given_up,
            timeout_s=self.context.settings.row_timeout_s,
            memory_bytes=self.context.memory_bytes(self.workers.count),
        )

    def _references(self, level: Sequence[int]) -> References:
        """Return what rows refer to; None for one that fails, since an object that it refers to isn't there."""
        found: References = {}
        for ordinal in level if self.plan.depends else ():
            if others := self.plan.depends.get(ordinal):
                recorded = self.ledger.objects(others)
                found[ordinal] = dependencies.references(self.rows, others, recorded) if all(recorded) else None
        left = [ordinal for ordinal, references in found.items() if references is None]
        if left:
            rows = manifest.part(self.rows, left).rows()
            failed = (unmet(row, self.rows.lines_of(self.plan.depends[row.ordinal])) for row in rows)
            self._count(0, self.recording.fail(failed))
        return found

    def _packed(self, ordinals: tuple[int, ...], references: References) -> Part:
        """Return a chunk's rows for a worker, and note the names that it is about to write: what a killed run leaves there is ours."""
        part = self._part(ordinals)
        extras = {}
        given = self.rows.column("SOPInstanceUID")
        for ordinal in ordinals:
            replaces, refers = self.work.takes.get(ordinal), references.get(ordinal) or ()
            staged = self.recording.stages_all and not given[ordinal]
            if replaces or staged or refers:
                extras[ordinal] = Extra(replaces, staged, refers)
        if self.context.outputs.writes:
            outputs = part.named["output"].texts()[: len(ordinals)]
            self.ledger.claim(output for output in outputs if output and output not in self._held)
        return replace(part, extras=extras)

    def _part(self, ordinals: Sequence[int]) -> Part:
        part = manifest.part(self.rows, ordinals)
        return replace(part, fingerprints=self.plan.fingerprints(part.ordinals))

    def _given_up(self, ordinal: int, *, late: bool) -> ChunkResult:
        (row,) = self._part([ordinal]).rows()
        return chunk.given_up(row, late=late, context=self.context)

    def _seconds_of(self, ordinal: int) -> float:
        """Return about how long a row takes, from the size of its files."""
        sources = self.rows.column("source")
        found = (self.context.sources.stat(sources[o]) for o in self.rows.frames.get(ordinal, (ordinal,)))
        size_bytes = sum(stat.size_bytes for stat in found if stat)
        return _ROW_S + size_bytes * (_BYTE_S if self.context.settings.compression in NATIVE else _COMPRESSED_BYTE_S)

    def _take(self, result: ChunkResult) -> bool:
        """Record a chunk; return whether to go on."""
        converted, failed = self.recording.take(result)
        self._count(converted, failed)
        self.stopped = self.stopped or result.stopped
        return not (self.stopped or (failed and self.context.settings.fail_fast))

    def _count(self, converted: int, failed: int) -> None:
        before = self._progress
        failures, self.recording.failures = tuple(self.recording.failures), []
        self._progress = replace(
            before, converted=before.converted + converted, failed=before.failed + failed, failures=failures
        )
        if self.on_progress:
            self.on_progress(self._progress)
