"""One run between its preflight and its report: the plan's rows through workers into the ledger."""

from __future__ import annotations

import contextlib
import math
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from bulkdcm import manifest, resume, storage, system
from bulkdcm.errors import Terminated
from bulkdcm.outcome import Failed
from bulkdcm.parallel import Pool, cut
from bulkdcm.report import warm_up
from bulkdcm.run import convert_rows
from bulkdcm.settings import NATIVE
from bulkdcm.worker import ChunkResult

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bulkdcm.ledger import Ledger
    from bulkdcm.manifest import Manifest
    from bulkdcm.model import ManifestRow
    from bulkdcm.worker import Context

_MEMORY_SHARE = 0.8
# Of an image on one core: what every one takes, and what each byte of it adds; only for the size of chunks.
_ROW_S, _BYTE_S, _COMPRESSED_BYTE_S = 0.0004, 1e-8, 2e-7


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a run has come, in rows; those done before are counted as converted."""

    rows: int
    converted: int = 0
    failed: int = 0


class Execution:
    """One run between its preflight and its report."""

    def __init__(
        self, rows: Manifest, ledger: Ledger, context: Context, on_progress: Callable[[Progress], None] | None
    ) -> None:
        self.rows, self.ledger, self.on_progress = rows, ledger, on_progress
        settings = context.settings
        self.pool = Pool(n_jobs=settings.n_jobs, backend=settings.backend, scheduler=settings.scheduler).connected()
        memory = settings.memory_limit * 1_000_000 or int(system.memory_bytes() * _MEMORY_SHARE / self.pool.workers)
        self.context = replace(context, memory_bytes=memory)
        self.folder = Path(context.out)
        self.stopped = ""
        self.ran: list[int] = []
        self.notes = [*ledger.notes, *system.missing_protection()]
        self.plan = resume.plan(rows, ledger, settings.output_options(context.uid_key), (context.images, context.out))
        done = self.plan.reasons.count(resume.DONE)
        self._progress = Progress(rows=len(rows), converted=done)

    def go(self, invalid: Sequence[Failed]) -> int:
        """Convert what is left; return the number of the signal that interrupted the run, or 0."""
        if self.ledger.left_unclean:
            storage.remove_temporary(self.folder)
        self.ledger.mark("running")
        if self.plan.moves:
            self.ledger.renumber(self.plan.moves)
        settings = self.context.settings
        todo = self._todo(invalid)
        asked = settings.chunk_size
        self.pool = self.pool.for_chunks(math.ceil(len(todo) / (asked or 1)))
        chunks = cut(manifest.rows(self.rows, todo), len(todo), self.pool.workers, asked, self._seconds_of)
        interrupted = 0
        warm_up()
        try:
            self.record(ChunkResult(outcomes=tuple(invalid)))
            if convert_rows(chunks, self.context, self.pool, self.record):
                storage.remove_temporary(self.folder)
        except Terminated:
            interrupted = 143
        except KeyboardInterrupt:
            interrupted = 130
        if not (self.stopped or interrupted):
            self._tidy()
        return interrupted

    def _todo(self, invalid: Sequence[Failed]) -> list[int]:
        """Return the rows to run: what the plan leaves, the settings take, and the preflight has let through."""
        settings = self.context.settings
        skip = {outcome.ordinal for outcome in invalid}
        todo = [ordinal for ordinal in self.plan.todo(retry_failed=settings.retry_failed) if ordinal not in skip]
        if not settings.selects:
            return todo
        taken = manifest.selected(self.rows, settings)
        todo = [o for o in todo if taken[o] and (self.plan.reasons[o] == resume.FAILED or not settings.only_failed)]
        rows = sum(len(self.rows.frames.get(ordinal, (0,))) for ordinal in todo)
        self._progress = replace(self._progress, rows=self._progress.converted + len(invalid) + rows)
        return todo

    def _seconds_of(self, row: ManifestRow) -> float:
        """Return about how long a row takes, from the size of its files."""
        size_bytes = 0
        for part in row.frames or (row,):
            with contextlib.suppress(OSError, ValueError):
                size_bytes += os.stat(f"{self.context.images}/{part.source}").st_size  # noqa: PTH116  # once a row
        return _ROW_S + size_bytes * (_BYTE_S if self.context.settings.compression in NATIVE else _COMPRESSED_BYTE_S)

    def record(self, result: ChunkResult) -> bool:
        """Commit a chunk's outcomes; return whether to go on."""
        records, obsolete, failed = [], [], 0
        for outcome in result.outcomes:
            found = outcome.records()
            failed += len(found) if isinstance(outcome, Failed) else 0
            if self.context.destination == "recognise" and isinstance(outcome, Failed):
                continue  # not done: `convert` will see to it
            for record in found:
                ordinal = record["ordinal"]
                records.append({**record, **self.plan.fingerprint(ordinal)})
                self.ran.append(ordinal)
                before = self.plan.outputs[ordinal]
                if before and before != record.get("output"):
                    obsolete.append(before)
        if records:
            self.ledger.record(records, obsolete)
        rows = sum(len(outcome.frames) or 1 for outcome in result.outcomes)
        self._progress = replace(
            self._progress,
            converted=self._progress.converted + rows - failed,
            failed=self._progress.failed + failed,
        )
        if self.on_progress:
            self.on_progress(self._progress)
        self.stopped = self.stopped or result.stopped
        return not (self.stopped or (failed and self.context.settings.fail_fast))

    def _tidy(self) -> None:
        """Remove the outputs of earlier attempts that no row has now and, where asked, those of rows that are gone."""
        if obsolete := self.ledger.obsolete():
            storage.remove(self.folder, obsolete)
        self.ledger.forget_obsolete()
        orphans = self.ledger.orphans()
        if orphans and self.context.settings.prune:
            gone = storage.remove(self.folder, orphans)
            self.ledger.forget_orphans(gone)
            self.notes.append(f"outputs of rows that are no longer in the manifest removed: {len(gone)}")
        elif orphans:
            self.notes.append(
                f"outputs of rows that are no longer in the manifest: {len(orphans)}, as {orphans[0]}; --prune removes them"
            )
