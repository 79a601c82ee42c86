"""One row, from its source to its output, in a worker. Nothing raised here crosses a process boundary."""

from __future__ import annotations

import os
import time
import traceback
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from bulkdcm import images, iods, storage, uids
from bulkdcm.encode import encode
from bulkdcm.errors import RowError, StorageError
from bulkdcm.model import Converted, Failed, Seconds

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bulkdcm.model import InstanceUIDs, ManifestRow, Outcome, Source
    from bulkdcm.settings import Settings


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
    uid_key
        Secret that UIDs are derived with, or empty.
    """

    settings: Settings
    images: str
    out: str
    uid_key: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkResult:
    """Outcomes of a chunk's rows; where `stopped` says why, the rest of the rows were not tried."""

    outcomes: tuple[Outcome, ...]
    stopped: str = ""


class _Stages:
    """A stopwatch that knows which stage runs."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = {}
        self._name = ""
        self._since = 0.0

    def enter(self, name: str) -> None:
        """End the stage before and begin `name`."""
        now = time.perf_counter()
        if self._name:
            key = f"{self._name}_s"
            self.spent[key] = self.spent.get(key, 0.0) + now - self._since
        self._name, self._since = name, now

    def seconds(self) -> Seconds:
        """Return the time of each stage so far."""
        self.enter("")
        return Seconds(**self.spent)


def convert_chunk(rows: Sequence[ManifestRow], context: Context) -> ChunkResult:
    """Convert `rows` one after another."""
    outcomes: list[Outcome] = []
    stopped = ""
    for outcome in _outcomes(rows, context):
        if isinstance(outcome, str):
            stopped = outcome
            break
        outcomes.append(outcome)
        if context.settings.fail_fast and isinstance(outcome, Failed):
            break
    return ChunkResult(outcomes=tuple(outcomes), stopped=stopped)


def _outcomes(rows: Sequence[ManifestRow], context: Context) -> Iterator[Outcome | str]:
    for row in rows:
        try:
            yield convert_row(row, context)
        except StorageError as error:
            yield str(error)
            return


def convert_row(row: ManifestRow, context: Context) -> Outcome:
    """Convert one row.

    Raises
    ------
    StorageError
        Where no row could be stored: the only error that is not this row's.
    """
    stages = _Stages()
    failed = Failed(ordinal=row.ordinal, stage="", error="", message="", worker=os.getpid())
    try:
        stages.enter("read")
        source = images.read_source(context.images, row.source, row.sha256)
        failed = replace(failed, source_size_bytes=len(source.data), source_sha256=source.sha256)
        return _convert(row, source, context, stages)
    except StorageError:
        raise
    except RowError as error:
        return replace(
            failed, stage=error.stage, error=type(error).__name__, message=str(error), seconds=stages.seconds()
        )
    except MemoryError:
        message = f"{row.source}: not enough memory. Lower --n-jobs, or --max-pixels to refuse such images."
        return replace(failed, stage="decode", error="MemoryError", message=message, seconds=stages.seconds())
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001  # the one place where an error nobody foresaw is kept, not lost
        return replace(
            failed,
            stage="unexpected",
            error=type(error).__name__,
            message=f"{row.source}: {error}. This is a fault of bulkdcm: please report it with the traceback.",
            traceback=traceback.format_exc(),
            seconds=stages.seconds(),
        )


def _convert(row: ManifestRow, source: Source, context: Context, stages: _Stages) -> Converted:
    settings = context.settings
    iod = iods.BY_UID[row.sop_class_uid]
    stages.enter("decode")
    frame = images.read(source, settings, iod)
    iods.check_kind(iod, frame, row.source)
    stages.enter("build")
    instance = uids.assign(row, source.sha256, settings.pixel_options, context.uid_key)
    dataset = iods.build(row, frame, instance)
    stages.enter("encode")
    data, transfer_syntax_uid = encode(dataset, frame, settings.transfer_syntax)
    stages.enter("store")
    stored = storage.store(Path(context.out), row.output or uid_output(instance), data)
    return Converted(
        ordinal=row.ordinal,
        stored=stored,
        uids=instance,
        sop_class_uid=row.sop_class_uid,
        transfer_syntax_uid=transfer_syntax_uid,
        photometric_interpretation=frame.photometric_interpretation,
        rows=frame.rows,
        columns=frame.columns,
        bits_stored=frame.bits_stored,
        samples_per_pixel=frame.samples_per_pixel,
        source_size_bytes=len(source.data),
        source_sha256=source.sha256,
        decisions=frame.decisions,
        seconds=stages.seconds(),
        worker=os.getpid(),
    )


def uid_output(instance: InstanceUIDs) -> str:
    """Return the output path of the layout ``uid``."""
    return f"{instance.study_instance_uid}/{instance.series_instance_uid}/{instance.sop_instance_uid}.dcm"
