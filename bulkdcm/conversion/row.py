"""One row, from its source to its output, in a worker; what fails it becomes its outcome."""

from __future__ import annotations

import os
import time
import traceback
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from bulkdcm import system
from bulkdcm._version import __version__
from bulkdcm.conversion import dependencies
from bulkdcm.conversion.outcome import ChunkResult, Converted, Failed, SourceFacts, columns_of
from bulkdcm.engines import guard
from bulkdcm.errors import ClusterError, ReadError, RowError, StorageError
from bulkdcm.images import failures
from bulkdcm.objects import MAKERS, Making
from bulkdcm.stores import Place

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bulkdcm.conversion.context import Context
    from bulkdcm.conversion.outcome import Outcome
    from bulkdcm.errors import Stage
    from bulkdcm.model import Fingerprint, FrameRow, InstanceUIDs, ManifestRow, Source
    from bulkdcm.objects import Made
    from bulkdcm.stores import Store, Stored


@dataclass(slots=True)
class _Progress:
    """How far a row has come: a stopwatch that knows which stage runs, and what was read."""

    sources: list[Source] = field(default_factory=list)
    stage: Stage = "read"
    _spent: dict[str, float] = field(default_factory=dict)
    _since: float = field(default_factory=time.perf_counter)

    def enter(self, stage: Stage) -> None:
        """End the stage before and begin another."""
        now = time.perf_counter()
        key = f"{self.stage}_s"
        self._spent[key] = self._spent.get(key, 0.0) + now - self._since
        self.stage, self._since = stage, now

    def seconds(self) -> dict[str, float]:
        """Return the time of each stage so far."""
        self.enter(self.stage)
        return self._spent


def convert_chunk(rows: Sequence[ManifestRow], context: Context) -> ChunkResult:
    """Convert `rows` one after another, and bring their files to the disk before saying so.

    Raises
    ------
    ClusterError
        Where this worker has another release than the run, which might write other bytes.
    """
    if context.version != __version__:
        msg = f"a worker has bulkdcm {__version__}, the run {context.version}: install the same on all machines"
        raise ClusterError(msg)
    outcomes: list[Outcome] = []
    try:
        with context.outputs.at_hand() as outputs:
            stopped = _convert_rows(rows, replace(context, outputs=outputs), outcomes)
    except StorageError as error:
        return ChunkResult(stopped=error.message)  # as below
    stored = [o.stored.staged or o.stored.name for o in outcomes if isinstance(o, Converted)]
    try:
        if stored and context.settings.fsync and context.outputs.needs_sync:
            context.outputs.sync(stored)
        context.outputs.check()
    except StorageError as error:
        # Nobody can say which of the files are on the disk, or in this folder, so none is called done.
        return ChunkResult(stopped=error.message)
    return result_of(outcomes, rows, context, stopped)


def result_of(
    outcomes: Sequence[Outcome], rows: Sequence[ManifestRow], context: Context, stopped: str = ""
) -> ChunkResult:
    """Return outcomes of some of `rows` as the run takes them."""
    fingerprints: dict[int, Fingerprint] = {
        part.ordinal: part.fingerprint for row in rows for part in _lines(row) if part.fingerprint
    }
    staged = tuple(o for o in outcomes if isinstance(o, Converted) and o.stored.staged)
    settled = [o for o in outcomes if isinstance(o, Failed) or not o.stored.staged]
    unsettled = 0
    if context.outputs.recognises:
        unsettled = sum(len(o.sources) for o in settled if isinstance(o, Failed))
        settled = [o for o in settled if not isinstance(o, Failed)]
    columns = columns_of(settled, fingerprints, context)
    return ChunkResult(columns=columns, staged=staged, unsettled=unsettled, stopped=stopped)


def _convert_rows(rows: Sequence[ManifestRow], context: Context, outcomes: list[Outcome]) -> str:
    """Add the outcome of each row; return why the rest of them were not tried, or an empty string."""
    for row in rows:
        guard.begin(row.ordinal)
        try:
            outcome = convert_row(row, context)
        except StorageError as error:
            return error.message
        outcomes.append(outcome)
        guard.end()
        if context.settings.fail_fast and isinstance(outcome, Failed):
            break
    return ""


def convert_row(row: ManifestRow, context: Context) -> Outcome:
    """Convert one row.

    Raises
    ------
    StorageError
        Where no row could be stored: the only error that is not this row's.
    """
    progress = _Progress()
    timeout_s = context.settings.row_timeout_s

    def failed(error: BaseException, message: str, stage: Stage | None = None, **more: Any) -> Failed:
        return Failed(
            sources=_facts(row, progress.sources),
            stage=stage or progress.stage,
            error=type(error).__name__,
            message=message,
            seconds=progress.seconds(),
            worker=os.getpid(),
            **more,
        )

    try:
        with system.deadline(timeout_s):
            return _convert(row, context, progress)
    except StorageError:
        raise
    except RowError as error:
        return failed(error, str(error), error.stage)
    except system.RowTimeoutError:
        return timed_out(row, timeout_s, progress.seconds(), os.getpid())
    except MemoryError as error:
        message = (
            f"{row.source}: not enough memory. Raise --memory-limit, lower --n-jobs, "
            "or lower --max-pixels to refuse such images."
        )
        return failed(error, message)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001  # the one place where an error nobody foresaw is kept, not lost
        message = (
            f"{row.source}: {failures.words(error)}. This is a fault of bulkdcm: please report it with the traceback."
        )
        return failed(error, message, "unexpected", traceback=traceback.format_exc())


def _convert(row: ManifestRow, context: Context, progress: _Progress) -> Converted:
    for part in _lines(row):
        progress.sources.append(_read(context.sources, part.source, part.sha256))
    maker = MAKERS[row.kind]
    making = Making(settings=context.settings, uid_key=context.uid_key, enter=progress.enter)
    made = maker.make(row, progress.sources, maker.read(row, progress.sources, making), making)
    progress.enter("store")
    if system.orphaned(context.parent):
        os._exit(1)  # the run was killed: another may be at this folder already
    return _converted(row, made, _put(row, made, context.outputs), progress)


def _read(sources: Store, name: str, expected_sha256: str) -> Source:
    source = sources.read(name)
    if expected_sha256 and source.sha256 != expected_sha256:
        msg = f"{name}: its SHA-256 is {source.sha256}, the manifest expects {expected_sha256}. The file has changed or is damaged."
        raise ReadError(msg)
    return source


def _put(row: ManifestRow, made: Made, outputs: Store) -> Stored:
    output = row.output or uid_output(made.uids)
    may = row.replaces
    replaces = may.version if may and may.output == output else None
    return outputs.put(Place(output, replaces, row.staged, row.ordinal), made.data)


def uid_output(instance: InstanceUIDs) -> str:
    """Return the output path of the layout ``uid``."""
    return f"{instance.study_instance_uid}/{instance.series_instance_uid}/{instance.sop_instance_uid}.dcm"


def _converted(row: ManifestRow, made: Made, stored: Stored, progress: _Progress) -> Converted:
    return Converted(
        sources=_facts(row, progress.sources),
        stored=stored,
        made=made.record(),
        referenced=dependencies.digest(row.references),
        seconds=progress.seconds(),
        worker=os.getpid(),
    )


def _lines(row: ManifestRow) -> tuple[FrameRow | ManifestRow, ...]:
    """Return the lines of the manifest that a row is made of."""
    return row.frames or (row,)


def _facts(row: ManifestRow, sources: Sequence[Source]) -> tuple[SourceFacts, ...]:
    """Return the facts of each line's source, as far as they were read."""
    known: list[dict[str, Any]] = [
        {"source_size_bytes": len(source.data), "source_sha256": source.sha256, "source_version": source.version}
        for source in sources
    ]
    return tuple(
        SourceFacts(ordinal=part.ordinal, **(known[index] if index < len(known) else {}))
        for index, part in enumerate(_lines(row))
    )


def timed_out(
    row: ManifestRow, timeout_s: float, seconds: Mapping[str, float] | None = None, worker: int = 0
) -> Failed:
    """Return the outcome of a row that is over its time."""
    return Failed(
        sources=_facts(row, ()),
        stage="timeout",
        error="RowTimeout",
        message=f"{row.source}: not converted within --row-timeout {timeout_s:g} s. Raise it, or look at the image.",
        seconds=seconds or {},
        worker=worker,
    )


def crashed(row: ManifestRow) -> Failed:
    """Return the outcome of a row that kills every worker that tries it."""
    message = (
        f"{row.source}: its worker died, each time with this row alone: a crash of a decoder, or more memory than the system "
        "gives. Open and save the image anew, or raise --memory-limit."
    )
    return Failed(sources=_facts(row, ()), stage="crashed", error="WorkerCrash", message=message)


def given_up(row: ManifestRow, *, late: bool, context: Context) -> ChunkResult:
    """Return what becomes of a row that kills every worker that tries it or, with `late`, is over its time."""
    outcome = timed_out(row, context.settings.row_timeout_s) if late else crashed(row)
    return result_of([outcome], [row], context)
