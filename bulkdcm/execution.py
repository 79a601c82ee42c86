"""One run between its preflight and its report: the plan's rows through workers into the ledger."""

from __future__ import annotations

import contextlib
import math
import os
from dataclasses import dataclass, replace
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bulkdcm import manifest, resume, storage, system
from bulkdcm.engines import ENGINES, Job, Recovery, Workers, cut
from bulkdcm.errors import OccupiedError, StorageError, Terminated
from bulkdcm.outcome import Converted, Failed
from bulkdcm.report import warm_up
from bulkdcm.settings import NATIVE
from bulkdcm.worker import ChunkResult, convert_chunk, given_up

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from bulkdcm.ledger import Ledger
    from bulkdcm.manifest import Manifest
    from bulkdcm.model import ManifestRow
    from bulkdcm.outcome import Outcome
    from bulkdcm.places import Places
    from bulkdcm.resume import Plan
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What a run is to do.

    Attributes
    ----------
    rows
        The manifest, resolved.
    plan
        What is left of it.
    todo
        Ordinals of the rows that run.
    invalid
        Rows that the preflight found at fault, which fail.
    takes
        Outputs that rows may replace beside their own earlier ones, by the rows' ordinals.
    ours
        Names whose files an earlier run left behind, and that are no row's.
    places
        The output folder before the run.
    """

    rows: Manifest
    plan: Plan
    todo: Sequence[int]
    invalid: Sequence[Failed]
    takes: Mapping[int, str]
    ours: set[str]
    places: Places

    def unchanged(self) -> list[int]:
        """Return the rows that don't run since they would fail as they did before."""
        running = set(self.todo)
        return [o for o, reason in enumerate(self.plan.reasons) if reason == resume.UNCHANGED and o not in running]

    def notes(self) -> list[str]:
        """Return what the user should know of rows that did not run."""
        count = len(self.unchanged())
        rows = f"{count:,} row{'' if count == 1 else 's'}"
        return [f"failed before, unchanged: {rows}, not tried again; --retry-failed tries them"] if count else []

    def given_uids(self) -> frozenset[str]:
        """Return the SOP Instance UIDs that rows name, where other rows leave theirs to be derived; else none."""
        column = self.rows.column("SOPInstanceUID")
        return frozenset(column.values) - {""} if "" in column.values else frozenset()


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
    """

    def __init__(
        self, work: Work, ledger: Ledger, context: Context, on_progress: Callable[[Progress], None] | None
    ) -> None:
        self.work, self.rows, self.plan = work, work.rows, work.plan
        self.ledger, self.on_progress = ledger, on_progress
        settings = context.settings
        self.engine = ENGINES[settings.backend]
        self.workers = Workers(
            count=self.engine.workers(settings.n_jobs, settings.scheduler), address=settings.scheduler
        )
        self.context = context
        self.folder = Path(context.out)
        self.stopped = ""
        self.left: dict[str, str] = {}
        self.ran: list[int] = []
        self.notes = [*ledger.notes, *system.missing_protection()]
        self._release = resume.release(settings.acceptance)
        self._held = set(self.plan.outputs)
        self._given_uids = work.given_uids()
        self._staged: list[Converted] = []
        rows = sum(len(self.rows.frames.get(ordinal, (0,))) for ordinal in work.todo)
        done = self.plan.reasons.count(resume.DONE)
        total = done + len(work.invalid) + rows if settings.selects else len(self.rows)
        self._progress = Progress(rows=total, converted=done)

    def go(self) -> int:
        """Convert what is left; return the number of the signal that interrupted the run, or 0."""
        if self.ledger.left_unclean:
            storage.remove_temporary(self.folder)
        self.ledger.mark("running")
        if self.plan.moves:
            self.ledger.renumber(self.plan.moves)
        self.ledger.amend("source_mtime_ns", self.plan.touched)
        todo = self.work.todo
        asked = self.context.settings.chunk_size
        useful = max(1, math.ceil(len(todo) / (asked or 1)))  # more would be idle
        self.workers = replace(self.workers, count=min(self.workers.count, useful))
        chunks = cut(self._placed(todo), len(todo), self.workers.count, asked, self._seconds_of)
        interrupted = 0
        warm_up()
        try:
            self.record(ChunkResult(outcomes=tuple(self.work.invalid)))
            recovery = Recovery(self._job(), map(self._claimed, chunks), self.engine, self.workers)
            for result in recovery:
                if not self.record(result):
                    recovery.end()
            if recovery.died:
                storage.remove_temporary(self.folder, keep={outcome.stored.staged for outcome in self._staged})
        except Terminated:
            interrupted = 143
        except KeyboardInterrupt:
            interrupted = 130
        if self.stopped or interrupted:
            for outcome in self._staged:
                (self.folder / outcome.stored.staged).unlink(missing_ok=True)
        else:
            storage.check_place(self.context.out, self.context.out_identity)
            self._settle()
            self._tidy()
        return interrupted

    def _job(self) -> Job[ManifestRow, ChunkResult]:
        """Return what workers do with each row."""
        settings, context = self.context.settings, self.context
        if not self.engine.same_machine:
            context = replace(context, parent=0, out_identity=(0, 0))  # another machine has other numbers
        share = int(system.memory_bytes() * _MEMORY_SHARE / self.workers.count)
        return Job(
            run=partial(convert_chunk, context=context),
            number=attrgetter("ordinal"),
            give_up=partial(given_up, timeout_s=settings.row_timeout_s),
            timeout_s=settings.row_timeout_s,
            memory_bytes=settings.memory_limit * 1_000_000 or share,
        )

    def _placed(self, todo: Sequence[int]) -> Iterator[ManifestRow]:
        """Yield the rows to run, each with what it may replace."""
        for row in manifest.rows(self.rows, todo):
            replaces = self.work.takes.get(row.ordinal) or self.plan.outputs[row.ordinal]
            staged = bool(self._given_uids) and not row.attributes.get("SOPInstanceUID")
            yield replace(row, replaces=replaces, staged=staged) if replaces or staged else row

    def _claimed(self, chunk: tuple[ManifestRow, ...]) -> tuple[ManifestRow, ...]:
        """Note the names that a chunk is about to write: what a killed run leaves there is ours."""
        if self.context.destination == "files":
            self.ledger.claim(row.output for row in chunk if row.output and row.output not in self._held)
        return chunk

    def _seconds_of(self, row: ManifestRow) -> float:
        """Return about how long a row takes, from the size of its files."""
        size_bytes = 0
        for part in row.frames or (row,):
            with contextlib.suppress(OSError, ValueError):
                size_bytes += os.stat(f"{self.context.images}/{part.source}").st_size  # noqa: PTH116  # once a row
        return _ROW_S + size_bytes * (_BYTE_S if self.context.settings.compression in NATIVE else _COMPRESSED_BYTE_S)

    def record(self, result: ChunkResult) -> bool:
        """Commit a chunk's outcomes; return whether to go on."""
        outcomes = [self._checked(outcome) for outcome in result.outcomes]
        now: list[Outcome] = []
        for outcome in outcomes:
            if isinstance(outcome, Converted) and outcome.stored.staged:
                self._staged.append(outcome)
            else:
                now.append(outcome)
        self._commit(now)
        rows = sum(len(outcome.frames) or 1 for outcome in outcomes)
        failed = sum(len(outcome.frames) or 1 for outcome in outcomes if isinstance(outcome, Failed))
        self._progress = replace(
            self._progress,
            converted=self._progress.converted + rows - failed,
            failed=self._progress.failed + failed,
        )
        if self.on_progress:
            self.on_progress(self._progress)
        self.stopped = self.stopped or result.stopped
        return not (self.stopped or (failed and self.context.settings.fail_fast))

    def _checked(self, outcome: Outcome) -> Outcome:
        """Return an outcome; if the UID derived for it is given to another row, as failed."""
        if isinstance(outcome, Failed) or outcome.uids.sop_instance_uid not in self._given_uids:
            return outcome
        if self.rows.column("SOPInstanceUID")[outcome.ordinal]:
            return outcome
        uid = outcome.uids.sop_instance_uid
        message = (
            f"{self.rows.column('source')[outcome.ordinal]}: its SOPInstanceUID {uid} is the one that another row names "
            "(PS3.5 9). Give that row another, or leave its cell empty."
        )
        return self._refused(outcome, "ManifestError", message)

    def _refused(self, outcome: Converted, error: str, message: str) -> Failed:
        """Return a converted row as failed; its file, which isn't in its place yet, goes."""
        if outcome.stored.staged:
            (self.folder / outcome.stored.staged).unlink(missing_ok=True)
        facts = {name: getattr(outcome, name) for name in ("source_size_bytes", "source_sha256", "source_mtime_ns")}
        return Failed(
            ordinal=outcome.ordinal,
            stage="store",
            error=error,
            message=message,
            seconds=outcome.seconds,
            worker=outcome.worker,
            frames=outcome.frames,
            **facts,
        )

    def _commit(self, outcomes: Sequence[Outcome], moves: Sequence[tuple[str, str]] = ()) -> None:
        """Write outcomes into the ledger; a failed row keeps the output it has."""
        records, obsolete, unwritten = [], [], []
        for outcome in outcomes:
            if self.context.destination == "recognise" and isinstance(outcome, Failed):
                continue  # not done: `convert` will see to it
            for record in outcome.records():
                ordinal = record["ordinal"]
                before = self.plan.outputs[ordinal]
                kept: dict[str, Any] = {}
                if isinstance(outcome, Failed):
                    kept = {**(self.ledger.earlier(ordinal) if before else {}), "release": self._release}
                    unwritten.append(self.rows.column("output")[ordinal])
                elif before and before != record["output"]:
                    obsolete.append(ordinal)
                records.append({**record, **kept, **self.plan.fingerprint(ordinal)})
                self.ran.append(ordinal)
        if records:
            self.ledger.record(records, obsolete, moves)
        if unwritten and self.context.destination == "files":
            self.ledger.forget_claims(name for name in unwritten if name)

    def _settle(self) -> None:
        """Give staged files their names, unless a row's only output is in the way: the rows of those fail.

        All of them are complete and recorded before the first one replaces anything, so that two rows may swap names.
        """
        if not self._staged:
            return
        waiting = {outcome.stored.output: outcome for outcome in sorted(self._staged, key=lambda o: -o.ordinal)}
        reasons = {
            o.ordinal: "another row's file goes there" for o in self._staged if waiting[o.stored.output] is not o
        }
        owners = self.ledger.owners()
        ours = self.work.ours | {file[0] for file in self.ledger.obsolete()}
        blocked = True
        while blocked:
            complete = {ordinal for outcome in waiting.values() for ordinal in _ordinals(outcome)}
            blocked = False
            for output, outcome in list(waiting.items()):
                owner = owners.get(output)
                if owner is None:
                    reason = "" if self._is_free(output, ours) else "a file is there that this run may not replace"
                else:
                    line = self.rows.lines[owner]
                    reason = "" if owner in complete else f"the output of line {line} is there, which has no new one"
                if reason:
                    reasons[outcome.ordinal] = reason
                    del waiting[output]
                    blocked = True
        moves = [(outcome.stored.staged, output) for output, outcome in waiting.items()]
        self._commit(list(waiting.values()), moves)
        finish_moves(self.ledger, self.folder)
        remedy = "Move it away, or give the row another name in the `output` column."
        self._commit(
            [
                self._refused(o, OccupiedError.__name__, f"{o.stored.output}: {reasons[o.ordinal]}. {remedy}")
                for o in self._staged
                if o.ordinal in reasons
            ]
        )

    def _is_free(self, output: str, ours: set[str]) -> bool:
        """Whether what no row of the manifest has may be replaced: nothing, an old output, or by ``--overwrite``."""
        settings = self.context.settings
        if not os.path.lexists(self.folder / output) or output in ours:
            return True
        if output in self.plan.orphaned:
            return settings.prune
        return settings.overwrite and self.work.places.may_replace(output)

    def _tidy(self) -> None:
        """Remove the outputs of earlier attempts that no row has now and, where asked, those of rows that are gone."""
        self._remove(self.ledger.obsolete())
        orphans = self.ledger.orphans()
        if orphans and self.context.settings.prune:
            count = self._remove(orphans)
            self.notes.append(f"outputs of rows that are no longer in the manifest removed: {count}")
        elif orphans:
            self.notes.append(
                f"outputs of rows that are no longer in the manifest: {len(orphans)}, as {orphans[0][0]}; --prune removes them"
            )
        if self.context.settings.prune:
            self.ledger.forget_orphans()
        self.ledger.forget_claims()

    def say_what_is_left(self) -> None:
        """Raise where old outputs could not be removed.

        Raises
        ------
        StorageError
            With one of them; the next run tries again.
        """
        if self.left:
            output, why = next(iter(self.left.items()))
            msg = (
                f"{len(self.left):,} old outputs could not be removed, such as {self.folder / output}: {why}. All rows are "
                "recorded. Correct the permissions, then run the same command again."
            )
            raise StorageError(msg)

    def _remove(self, files: Sequence[tuple[Any, ...]]) -> int:
        """Remove old outputs; what can't be removed stays known, for the next run."""
        removal = storage.remove(self.folder, files)
        self.ledger.forget_files([*removal.gone, *removal.foreign])
        self.left |= removal.failed
        if removal.foreign:
            self.notes.append(
                f"files in the place of old outputs that hold something else, left alone: {len(removal.foreign)}, "
                f"such as {removal.foreign[0]}"
            )
        return len(removal.gone)


def finish_moves(ledger: Ledger, folder: Path) -> None:
    """Give staged files that are recorded under their final names these names."""
    if moves := ledger.moves():
        for staged, output in moves:
            storage.settle(folder, staged, output)
        ledger.forget_moves()


def _ordinals(outcome: Converted) -> tuple[int, ...]:
    return tuple(facts.ordinal for facts in outcome.frames) or (outcome.ordinal,)
