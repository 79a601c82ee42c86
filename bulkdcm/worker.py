"""One row, from its source to its output, in a worker. Nothing raised here crosses a process boundary."""

from __future__ import annotations

import hashlib
import os
import time
import traceback
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bulkdcm import __version__, images, iods, storage, system, uids
from bulkdcm.encode import compress, encode, encode_file
from bulkdcm.engines import guard
from bulkdcm.errors import ClusterError, RowError, StorageError
from bulkdcm.images import failures
from bulkdcm.iods import restamp
from bulkdcm.outcome import Converted, Failed, Seconds, SourceFacts
from bulkdcm.storage import Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bulkdcm.encode.part10 import Buffer
    from bulkdcm.model import InstanceUIDs, ManifestRow, Source
    from bulkdcm.outcome import Outcome
    from bulkdcm.settings import Settings


_DESTINATIONS = {"files": storage.store, "recognise": storage.recognise, "null": storage.discard}


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What every row of a run needs.

    Attributes
    ----------
    settings
        Of the run.
    images
        Real path of the image root.
    out
        The output folder.
    out_identity
        Its device and number, so that another in its place is noticed; (0, 0) where a worker can't know.
    uid_key
        Secret that UIDs are derived with, or empty.
    parent
        Process id of the run; 0 where that is on another machine.
    version
        Of the bulkdcm that the run has; a worker of a cluster may have another.
    destination
        ``files``: where outputs are written; ``recognise``: nothing is, and a row is converted where its output is there
        already, byte for byte; ``null``: nothing is.
    """

    settings: Settings
    images: str
    out: str
    out_identity: tuple[int, int] = (0, 0)
    uid_key: bytes = field(default=b"", repr=False)
    parent: int = 0
    version: str = __version__
    destination: str = "files"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkResult:
    """Outcomes of a chunk's rows; where `stopped` says why, the rest of the rows were not tried."""

    outcomes: tuple[Outcome, ...]
    stopped: str = ""


class _Stages:
    """A stopwatch that knows which stage runs."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = {}
        self.name = ""
        self._since = 0.0

    def enter(self, name: str) -> None:
        """End the stage before and begin `name`."""
        now = time.perf_counter()
        if self.name:
            key = f"{self.name}_s"
            self.spent[key] = self.spent.get(key, 0.0) + now - self._since
        self.name, self._since = name, now

    def seconds(self) -> Seconds:
        """Return the time of each stage so far."""
        self.enter("")
        return Seconds(**self.spent)


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
    stopped = ""
    try:
        for outcome in _outcomes(rows, context):
            outcomes.append(outcome)
            if context.settings.fail_fast and isinstance(outcome, Failed):
                break
    except StorageError as error:
        stopped = error.message
    stored = [o.stored.staged or o.stored.output for o in outcomes if isinstance(o, Converted)]
    try:
        if stored and context.settings.fsync and context.destination == "files":
            storage.sync(Path(context.out), stored)
        storage.check_place(context.out, context.out_identity)
    except StorageError as error:
        # Nobody can say which of the files are on the disk, or in this folder, so none is called done.
        return ChunkResult(outcomes=(), stopped=error.message)
    return ChunkResult(outcomes=tuple(outcomes), stopped=stopped)


def _outcomes(rows: Sequence[ManifestRow], context: Context) -> Iterator[Outcome]:
    for row in rows:
        guard.begin(row.ordinal)
        yield convert_row(row, context)
        guard.end()


def convert_row(row: ManifestRow, context: Context) -> Outcome:
    """Convert one row.

    Raises
    ------
    StorageError
        Where no row could be stored: the only error that is not this row's.
    """
    stages = _Stages()
    failed = Failed(ordinal=row.ordinal, stage="", error="", message="", worker=os.getpid(), frames=_facts(row, ()))
    timeout_s, links = context.settings.row_timeout_s, context.settings.follow_links
    try:
        with system.deadline(timeout_s):
            stages.enter("read")
            sources = []
            for part in row.frames or (row,):
                sources.append(images.read_source(context.images, part.source, part.sha256, follow_links=links))
                failed = replace(failed, **_first_source(sources), frames=_facts(row, sources))
            return _convert(row, sources, context, stages)
    except StorageError:
        raise
    except RowError as error:
        return replace(
            failed, stage=error.stage, error=type(error).__name__, message=str(error), seconds=stages.seconds()
        )
    except system.RowTimeoutError:
        return replace(timed_out(row, timeout_s), worker=os.getpid(), seconds=stages.seconds())
    except MemoryError:
        message = (
            f"{row.source}: not enough memory. Raise --memory-limit, lower --n-jobs, "
            "or lower --max-pixels to refuse such images."
        )
        stage = stages.name
        return replace(failed, stage=stage, error="MemoryError", message=message, seconds=stages.seconds())
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001  # the one place where an error nobody foresaw is kept, not lost
        return replace(
            failed,
            stage="unexpected",
            error=type(error).__name__,
            message=f"{row.source}: {failures.words(error)}. This is a fault of bulkdcm: please report it with the traceback.",
            traceback=traceback.format_exc(),
            seconds=stages.seconds(),
        )


def timed_out(row: ManifestRow, timeout_s: float) -> Failed:
    """Return the outcome of a row that is over its time."""
    message = f"{row.source}: not converted within --row-timeout {timeout_s:g} s. Raise it, or look at the image."
    return Failed(ordinal=row.ordinal, stage="timeout", error="RowTimeout", message=message, frames=_facts(row, ()))


def crashed(row: ManifestRow) -> Failed:
    """Return the outcome of a row that kills every worker that tries it."""
    message = (
        f"{row.source}: its worker died, each time with this row alone: a crash of a decoder, or more memory than the system "
        "gives. Open and save the image anew, or raise --memory-limit."
    )
    return Failed(ordinal=row.ordinal, stage="crashed", error="WorkerCrash", message=message, frames=_facts(row, ()))


def given_up(row: ManifestRow, *, late: bool, timeout_s: float) -> ChunkResult:
    """Return what becomes of a row that kills every worker that tries it or, with `late`, is over its time."""
    return ChunkResult(outcomes=(timed_out(row, timeout_s) if late else crashed(row),))


def _facts(row: ManifestRow, sources: Sequence[Source]) -> tuple[SourceFacts, ...]:
    """Return the facts of each line's source, as far as they were read; nothing where the row is one line."""
    known: list[dict[str, Any]] = [
        {"source_size_bytes": len(source.data), "source_sha256": source.sha256, "source_mtime_ns": source.mtime_ns}
        for source in sources
    ]
    return tuple(
        SourceFacts(ordinal=part.ordinal, **(known[index] if index < len(known) else {}))
        for index, part in enumerate(row.frames)
    )


def _first_source(sources: Sequence[Source]) -> dict[str, Any]:
    first = sources[0]
    return {"source_size_bytes": len(first.data), "source_sha256": first.sha256, "source_mtime_ns": first.mtime_ns}


def _digest(sources: Sequence[Source]) -> str:
    """Return the SHA-256 of the source, or that of several sources' in their order."""
    if len(sources) == 1:
        return sources[0].sha256
    return hashlib.sha256("".join(source.sha256 for source in sources).encode("ascii")).hexdigest()


def _convert(row: ManifestRow, sources: Sequence[Source], context: Context, stages: _Stages) -> Converted:
    iod = iods.BY_UID[row.sop_class_uid]
    make = _restamped if iod.restamp else _made
    data, facts = make(row, sources, context, stages)
    stages.enter("store")
    if system.orphaned(context.parent):
        os._exit(1)  # the run was killed: another may be at this folder already
    output = row.output or uid_output(facts["uids"])
    replaces = output == row.replaces
    place = Place(context.out, output, context.out_identity, replaces, row.staged, row.ordinal)
    stored = _DESTINATIONS[context.destination](place, data)
    return Converted(
        ordinal=row.ordinal,
        stored=stored,
        **facts,
        **_first_source(sources),
        frames=_facts(row, sources),
        seconds=stages.seconds(),
        worker=os.getpid(),
    )


def _made(
    row: ManifestRow, sources: Sequence[Source], context: Context, stages: _Stages
) -> tuple[list[Buffer], dict[str, Any]]:
    """Return the file made of images, and what it is."""
    settings = context.settings
    iod = iods.BY_UID[row.sop_class_uid]
    stages.enter("decode")
    frame = images.read(sources, settings, iod)
    iods.check_frame(iod, row, frame)
    stages.enter("encode")
    frame = compress(frame, settings)
    stages.enter("build")
    instance = uids.assign(row, _digest(sources), settings.pixel_options, context.uid_key)
    dataset = iods.build(row, frame, instance)
    stages.enter("encode")
    data, transfer_syntax_uid = encode(dataset, frame, settings.compression)
    return data, {
        "uids": instance,
        "sop_class_uid": row.sop_class_uid,
        "transfer_syntax_uid": transfer_syntax_uid,
        "photometric_interpretation": frame.photometric_interpretation,
        "rows": frame.rows,
        "columns": frame.columns,
        "bits_stored": frame.bits_stored,
        "samples_per_pixel": frame.samples_per_pixel,
        "decisions": frame.decisions,
    }


def _restamped(
    row: ManifestRow, sources: Sequence[Source], context: Context, stages: _Stages
) -> tuple[list[Buffer], dict[str, Any]]:
    """Return the file made of a DICOM file, and what it is."""
    (source,) = sources
    stages.enter("decode")
    dataset = restamp.read_dicom(source, context.settings.max_pixels)
    stages.enter("build")
    instance = restamp.assign(row, dataset, source.sha256, context.uid_key)
    dataset = restamp.restamp(row, dataset, instance)
    stages.enter("encode")
    transfer_syntax_uid = str(dataset.file_meta.TransferSyntaxUID)
    return [encode_file(dataset, transfer_syntax_uid)], {
        "uids": instance,
        "sop_class_uid": str(dataset.SOPClassUID),
        "transfer_syntax_uid": transfer_syntax_uid,
        "photometric_interpretation": str(dataset.get("PhotometricInterpretation", "")),
        "rows": int(dataset.get("Rows") or 0),
        "columns": int(dataset.get("Columns") or 0),
        "bits_stored": int(dataset.get("BitsStored") or 0),
        "samples_per_pixel": int(dataset.get("SamplesPerPixel") or 0),
        "decisions": ("re-stamped: pixels and transfer syntax as they were",),
    }


def uid_output(instance: InstanceUIDs) -> str:
    """Return the output path of the layout ``uid``."""
    return f"{instance.study_instance_uid}/{instance.series_instance_uid}/{instance.sop_instance_uid}.dcm"
