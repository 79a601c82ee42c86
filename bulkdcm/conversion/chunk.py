"""A chunk of rows in a worker: what each of them became, and their files on the disk before that is said."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bulkdcm import images, signals
from bulkdcm._version import __version__
from bulkdcm.conversion.outcome import ChunkResult, Converted, Failed, columns_of
from bulkdcm.conversion.row import Attempt, crashed, lines_of, timed_out
from bulkdcm.engines import guard
from bulkdcm.errors import ClusterError, SettingsError, StorageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from bulkdcm.conversion.context import Context
    from bulkdcm.conversion.outcome import Outcome
    from bulkdcm.conversion.row import Step
    from bulkdcm.model import Fingerprint, ManifestRow
    from bulkdcm.part import Part

# Small rows take each step together: a processor that does one thing many times over does it in half the time. With their
# sources read, so many bytes are held at most, and a large image goes alone.
_TOGETHER, _TOGETHER_BYTES = 32, 500_000


def convert_chunk(part: Part, context: Context) -> ChunkResult:
    """Convert rows, and bring their files to the disk before saying so.

    Raises
    ------
    ClusterError
        As `check_worker` does.
    """
    check_worker(context)
    rows = part.rows()
    outcomes: list[Outcome] = []
    try:
        with context.outputs.at_hand() as outputs:
            stopped = _convert(rows, replace(context, outputs=outputs), outcomes)
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


def check_worker(context: Context) -> None:
    """Refuse a worker that has other releases than the run, and might write other bytes.

    Raises
    ------
    ClusterError
        With what differs.
    """
    if context.version != __version__:
        msg = f"a worker has bulkdcm {__version__}, the run {context.version}: install the same on all machines"
        raise ClusterError(msg)
    try:
        own = images.transcoder(context.settings)
    except SettingsError:
        own = "nothing"
    if own != context.transcoder:
        msg = f"a worker transcodes JPEG by {own}, the run by {context.transcoder}: install the same on all machines"
        raise ClusterError(msg)


def take(attempt: Attempt, step: Step, deadline: signals.Deadline, context: Context) -> Attempt:
    """Have a row take one step, for which a worker's death, or too long a time, is then the row's; return the row."""
    guard.begin(attempt.row.ordinal)
    attempt.take(deadline.of(step, attempt.spent_s), context)
    guard.end()
    return attempt


def _convert(rows: Sequence[ManifestRow], context: Context, outcomes: list[Outcome]) -> str:
    """Add the outcome of each row; return why the rest of them were not tried, or an empty string."""
    together = 1 if context.settings.fail_fast else _TOGETHER
    with signals.Deadline(context.settings.row_timeout_s) as deadline:
        read = (take(Attempt(row), Attempt.read, deadline, context) for row in rows)
        for group in _together(read, lambda attempt: sum(len(source.data) for source in attempt.sources), together):
            for decoded in _together(
                group, lambda attempt: take(attempt, Attempt.decode, deadline, context).size_bytes, together
            ):
                try:
                    for step in (Attempt.make, Attempt.prove, Attempt.store):
                        for attempt in decoded:
                            take(attempt, step, deadline, context)
                except StorageError as error:
                    return error.message
                finally:
                    outcomes += [attempt.outcome for attempt in decoded if attempt.outcome]
            if context.settings.fail_fast and isinstance(outcomes[-1], Failed):
                break
    return ""


def _together(
    attempts: Iterable[Attempt], size_bytes_of: Callable[[Attempt], int], most: int
) -> Iterator[list[Attempt]]:
    """Yield attempts that go together: as many as `most`, unless what they hold is too much before."""
    group: list[Attempt] = []
    held = 0
    for attempt in attempts:
        group.append(attempt)
        held += size_bytes_of(attempt)
        if len(group) >= most or held > _TOGETHER_BYTES:
            yield group
            group, held = [], 0
    if group:
        yield group


def result_of(
    outcomes: Sequence[Outcome], rows: Sequence[ManifestRow], context: Context, stopped: str = ""
) -> ChunkResult:
    """Return outcomes of some of `rows` as the run takes them."""
    fingerprints: dict[int, Fingerprint] = {
        part.ordinal: part.fingerprint for row in rows for part in lines_of(row) if part.fingerprint
    }
    staged = tuple(o for o in outcomes if isinstance(o, Converted) and o.stored.staged)
    settled = [o for o in outcomes if isinstance(o, Failed) or not o.stored.staged]
    unsettled = 0
    if context.outputs.recognises:
        unsettled = sum(len(o.sources) for o in settled if isinstance(o, Failed))
        settled = [o for o in settled if not isinstance(o, Failed)]
    columns = columns_of(settled, fingerprints, context)
    return ChunkResult(columns=columns, staged=staged, unsettled=unsettled, stopped=stopped)


def given_up(row: ManifestRow, *, late: bool, context: Context) -> ChunkResult:
    """Return what becomes of a row that kills every worker that tries it or, with `late`, is over its time."""
    outcome = timed_out(row, context.settings.row_timeout_s) if late else crashed(row)
    return result_of([outcome], [row], context)
