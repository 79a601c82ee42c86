"""One row, from its source to its output, in a worker: four steps, and an outcome whatever happens in one."""

from __future__ import annotations

import hashlib
import os
import time
import traceback
from typing import TYPE_CHECKING, Any

from bulkdcm import proof, signals, system
from bulkdcm.conversion import references
from bulkdcm.conversion.outcome import Converted, Failed, SourceFacts
from bulkdcm.errors import ReadError, RowError, StorageError, VerificationError
from bulkdcm.images import failures
from bulkdcm.objects import MAKERS, Making
from bulkdcm.stores import Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from bulkdcm.conversion.context import Context
    from bulkdcm.conversion.outcome import Outcome
    from bulkdcm.errors import Stage
    from bulkdcm.model import FrameRow, InstanceUIDs, ManifestRow, Source
    from bulkdcm.objects import Made
    from bulkdcm.stores import Store, Stored

    Step = Callable[["Attempt", Context], None]


class Attempt:
    """How far a row has come.

    Parameters
    ----------
    row
        Of the manifest.

    Attributes
    ----------
    sources
        What was read.
    outcome
        What became of the row; None as long as steps are left.
    """

    __slots__ = (
        "_content",
        "_made",
        "_making",
        "_since",
        "_spent",
        "outcome",
        "row",
        "size_bytes",
        "sources",
        "spent_s",
        "stage",
    )

    def __init__(self, row: ManifestRow) -> None:
        self.row = row
        self.sources: list[Source] = []
        self.outcome: Outcome | None = None
        self.stage: Stage = "read"
        self.spent_s = 0.0
        """How long all steps have taken together."""
        self.size_bytes = 0
        """Of what was decoded."""
        self._spent: dict[str, float] = {}
        self._since = 0.0
        self._content: Any = None
        self._made: Made | None = None
        self._making: Making | None = None

    def enter(self, stage: Stage) -> None:
        """End the stage before and begin another."""
        self.pause()
        self.stage = stage

    def pause(self) -> None:
        """Count what the stage that is under way has taken so far."""
        now = time.perf_counter()
        key = f"{self.stage}_s"
        self._spent[key] = self._spent.get(key, 0.0) + now - self._since
        self.spent_s += now - self._since
        self._since = now

    def take(self, step: Step, context: Context) -> None:
        """Take one step, if none has failed; what fails in it becomes the row's outcome.

        Raises
        ------
        StorageError
            If no row could be stored: the only error that is not this row's.
        """
        if self.outcome is not None:
            return
        self._since = time.perf_counter()
        try:
            step(self, context)
        except (StorageError, KeyboardInterrupt):
            raise
        except RowError as error:
            self._fail(error, str(error), error.stage)
        except signals.RowTimeoutError:
            self.pause()
            self.outcome = timed_out(self.row, context.settings.row_timeout_s, self._spent, os.getpid())
        except MemoryError as error:
            message = (
                f"{self.row.source}: not enough memory. Raise --memory-limit, lower --n-jobs, "
                "or lower --max-pixels to refuse such images."
            )
            self._fail(error, message, self.stage)
        except BaseException as error:  # noqa: BLE001  # the one place where an error nobody foresaw is kept, not lost
            message = f"{self.row.source}: {failures.words(error)}. This is a fault of bulkdcm: please report it with the traceback."
            self._fail(error, message, "unexpected", traceback.format_exc())
        else:
            self.pause()

    def _fail(self, error: BaseException, message: str, stage: Stage, trace: str = "") -> None:
        self.pause()
        self.outcome = Failed(
            sources=_facts(self.row, self.sources),
            stage=stage,
            error=type(error).__name__,
            message=message,
            traceback=trace,
            seconds=self._spent,
            worker=os.getpid(),
        )

    def read(self, context: Context) -> None:
        """Read the sources."""
        for part in lines_of(self.row):
            self.sources.append(_read(context.sources, part.source, part.sha256))

    def decode(self, context: Context) -> None:
        """Have what they hold."""
        self._making = Making(settings=context.settings, uid_key=context.uid_key, enter=self.enter)
        self._content = MAKERS[self.row.kind].read(self.row, self.sources, self._making)
        self.size_bytes = MAKERS[self.row.kind].size_bytes(self._content)

    def make(self, context: Context) -> None:
        """Make the object of it."""
        del context
        assert self._making  # noqa: S101  # of the step before
        content, self._content = self._content, None
        self._made = MAKERS[self.row.kind].make(self.row, self.sources, content, self._making)

    def prove(self, context: Context) -> None:
        """Compare it with the row and the sources, if that is asked for."""
        if context.settings.verify:
            self.enter("verify")
            assert self._made  # noqa: S101  # of the step before
            proof.refuse(b"".join(self._made.data), self._case(context))

    def _case(self, context: Context) -> proof.Case:
        return proof.Case(
            row=self.row,
            sources=[source.data for source in self.sources],
            digests=[source.sha256 for source in self.sources],
            settings=context.settings,
            uid_key=context.uid_key,
        )

    def store(self, context: Context) -> None:
        """Store it."""
        self.enter("store")
        if system.orphaned(context.parent):
            os._exit(1)  # the run was killed: another may be at this folder already
        made, self._made = self._made, None
        assert made  # noqa: S101  # of the step before
        stored = _put(self.row, made, context.outputs)
        if context.settings.verify and context.outputs.writes:
            _read_back(self.row, stored, context.outputs)
        self.pause()
        self.outcome = Converted(
            sources=_facts(self.row, self.sources),
            stored=stored,
            made=made.record(),
            referenced=references.digest(self.row.references),
            seconds=self._spent,
            worker=os.getpid(),
        )


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


def _read_back(row: ManifestRow, stored: Stored, outputs: Store) -> None:
    """Refuse a file that doesn't come back as it was written."""
    name = stored.staged or stored.name
    with outputs.open(name) as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]  # any file that is read
    if found != stored.sha256:
        outputs.drop(name)
        msg = f"{row.source}: its file doesn't come back as it was written, and was removed. Check the disk."
        raise VerificationError(msg)


def uid_output(instance: InstanceUIDs) -> str:
    """Return the output path of the layout ``uid``."""
    return f"{instance.study_instance_uid}/{instance.series_instance_uid}/{instance.sop_instance_uid}.dcm"


def lines_of(row: ManifestRow) -> tuple[FrameRow | ManifestRow, ...]:
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
        for index, part in enumerate(lines_of(row))
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


def unmet(row: ManifestRow, lines: Iterable[int]) -> Failed:
    """Return the outcome of a row whose object refers to those of other lines, of which not all are there."""
    told = ", ".join(map(str, lines))
    message = (
        f"{row.source}: its object refers to those of lines {told}, of which not all are converted. Convert them first."
    )
    return Failed(sources=_facts(row, ()), stage="read", error=ReadError.__name__, message=message)


def crashed(row: ManifestRow) -> Failed:
    """Return the outcome of a row that kills every worker that tries it."""
    message = (
        f"{row.source}: its worker died, each time with this row alone: a crash of a decoder, or more memory than the system "
        "gives. Open and save the image again, or raise --memory-limit."
    )
    return Failed(sources=_facts(row, ()), stage="crashed", error="WorkerCrash", message=message)
