"""What became of a row: its output, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bulkdcm.printable import printable

if TYPE_CHECKING:
    from bulkdcm.model import InstanceUIDs


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredInstance:
    """What was written, and where.

    Attributes
    ----------
    output
        Path relative to the output folder.
    size_bytes, sha256, mtime_ns
        Of the file.
    staged
        Where the file lies for now, since another has its name; empty where it has it.
    """

    output: str
    size_bytes: int
    sha256: str
    mtime_ns: int
    staged: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seconds:
    """Wall time of each stage of one row, in seconds."""

    read_s: float = 0.0
    decode_s: float = 0.0
    build_s: float = 0.0
    encode_s: float = 0.0
    store_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFacts:
    """The source of one line of the manifest; None where it was not read."""

    ordinal: int
    source_size_bytes: int | None = None
    source_sha256: str | None = None
    source_mtime_ns: int | None = None


def _of_each_frame(record: dict[str, Any], frames: tuple[SourceFacts, ...]) -> list[dict[str, Any]]:
    return [{**record, **{name: getattr(facts, name) for name in SourceFacts.__slots__}} for facts in frames] or [
        record
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Converted:
    """A row whose output is in place."""

    ordinal: int
    stored: StoredInstance
    uids: InstanceUIDs
    sop_class_uid: str
    transfer_syntax_uid: str
    photometric_interpretation: str
    rows: int
    columns: int
    bits_stored: int
    samples_per_pixel: int
    source_size_bytes: int
    source_sha256: str
    source_mtime_ns: int
    decisions: tuple[str, ...]
    seconds: Seconds
    worker: int
    frames: tuple[SourceFacts, ...] = ()

    def records(self) -> list[dict[str, Any]]:
        """Return the outcome flat, a key a ledger column; once for each line of the manifest that went into it."""
        return _of_each_frame(self._record(), self.frames)

    def _record(self) -> dict[str, Any]:
        return {
            "ordinal": self.ordinal,
            "status": "converted",
            "output": self.stored.output,
            "study_instance_uid": self.uids.study_instance_uid,
            "series_instance_uid": self.uids.series_instance_uid,
            "sop_instance_uid": self.uids.sop_instance_uid,
            "sop_class_uid": self.sop_class_uid,
            "transfer_syntax_uid": self.transfer_syntax_uid,
            "photometric_interpretation": self.photometric_interpretation,
            "rows": self.rows,
            "columns": self.columns,
            "bits_stored": self.bits_stored,
            "samples_per_pixel": self.samples_per_pixel,
            "source_size_bytes": self.source_size_bytes,
            "output_size_bytes": self.stored.size_bytes,
            "source_sha256": self.source_sha256,
            "output_sha256": self.stored.sha256,
            "source_mtime_ns": self.source_mtime_ns,
            "output_mtime_ns": self.stored.mtime_ns,
            "decisions": "; ".join(self.decisions),
            **{name: getattr(self.seconds, name) for name in Seconds.__slots__},
            "worker": self.worker,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """A row that has no output, with the reason.

    Attributes
    ----------
    stage
        Where it failed: check, read, decode, build, encode, store, crashed, timeout, or unexpected.
    error
        Name of the error's class.
    message
        What happened and what to do.
    traceback
        Only of errors nobody foresaw.
    """

    ordinal: int
    stage: str
    error: str
    message: str
    traceback: str = ""
    source_size_bytes: int | None = None
    source_sha256: str | None = None
    source_mtime_ns: int | None = None
    seconds: Seconds = field(default_factory=Seconds)
    worker: int = 0
    frames: tuple[SourceFacts, ...] = ()

    def records(self) -> list[dict[str, Any]]:
        """Return the outcome flat, a key a ledger column; once for each line of the manifest that went into it."""
        return _of_each_frame(self._record(), self.frames)

    def _record(self) -> dict[str, Any]:
        return {
            "ordinal": self.ordinal,
            "status": "failed",
            "stage": self.stage,
            "error": self.error,
            "message": printable(self.message),
            "traceback": printable(self.traceback),
            "source_size_bytes": self.source_size_bytes,
            "source_sha256": self.source_sha256,
            "source_mtime_ns": self.source_mtime_ns,
            **{name: getattr(self.seconds, name) for name in Seconds.__slots__},
            "worker": self.worker,
        }


Outcome = Converted | Failed
