"""What became of a row, its output or why there is none; and of a chunk, as columns that the ledger takes as they are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bulkdcm.ledger import sealed
from bulkdcm.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bulkdcm.conversion.context import Context
    from bulkdcm.errors import Stage
    from bulkdcm.model import Fingerprint
    from bulkdcm.objects import Made
    from bulkdcm.stores import Stored


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
    source_version: int | str | None = None

    def record(self) -> dict[str, Any]:
        """Return the facts, a key a ledger column."""
        return {name: getattr(self, name) for name in SourceFacts.__slots__}


@dataclass(frozen=True, slots=True, kw_only=True)
class Converted:
    """A row whose output is stored.

    Attributes
    ----------
    sources
        Of each line of the manifest that went into it; the first is the row's own.
    stored
        Where it is.
    made
        What it is, without its bytes.
    referenced
        Digest of the objects that it refers to; None for none.
    seconds, worker
        How long each stage took, and where.
    """

    sources: tuple[SourceFacts, ...]
    stored: Stored
    made: Made
    referenced: str | None
    seconds: Seconds
    worker: int

    @property
    def ordinal(self) -> int:
        """Of the row."""
        return self.sources[0].ordinal

    def record(self) -> dict[str, Any]:
        """Return what all lines of the row have in common, a key a ledger column."""
        made = self.made
        return {
            "status": "converted",
            "output": self.stored.name,
            "output_size_bytes": self.stored.size_bytes,
            "output_sha256": self.stored.sha256,
            "output_version": self.stored.version,
            "study_instance_uid": made.uids.study_instance_uid,
            "series_instance_uid": made.uids.series_instance_uid,
            "sop_instance_uid": made.uids.sop_instance_uid,
            "sop_class_uid": made.sop_class_uid,
            "transfer_syntax_uid": made.transfer_syntax_uid,
            "photometric_interpretation": made.photometric_interpretation,
            "rows": made.rows,
            "columns": made.columns,
            "bits_stored": made.bits_stored,
            "samples_per_pixel": made.samples_per_pixel,
            "decisions": "; ".join(made.decisions),
            "referenced": self.referenced,
            "worker": self.worker,
            **{name: getattr(self.seconds, name) for name in Seconds.__slots__},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """A row that has no output, with the reason.

    Attributes
    ----------
    sources
        As in `Converted`, as far as they were read.
    stage
        Where it failed.
    error
        Name of the error's class.
    message
        What happened and what to do.
    traceback
        Only of errors nobody foresaw.
    seconds, worker
        As in `Converted`.
    """

    sources: tuple[SourceFacts, ...]
    stage: Stage
    error: str
    message: str
    traceback: str = ""
    seconds: Seconds = field(default_factory=Seconds)
    worker: int = 0

    @property
    def ordinal(self) -> int:
        """Of the row."""
        return self.sources[0].ordinal

    def record(self) -> dict[str, Any]:
        """Return what all lines of the row have in common, a key a ledger column."""
        return {
            "status": "failed",
            "stage": self.stage,
            "error": self.error,
            "message": printable(self.message),
            "traceback": printable(self.traceback),
            "worker": self.worker,
            **{name: getattr(self.seconds, name) for name in Seconds.__slots__},
        }


Outcome = Converted | Failed
Columns = tuple[tuple[Any, ...], ...]
"""Lines of the manifest as columns of the ledger, in the order of `ledger.STORED`; empty for none."""


def columns_of(outcomes: Iterable[Outcome], fingerprints: Mapping[int, Fingerprint], context: Context) -> Columns:
    """Return outcomes as the ledger takes them, checksums included.

    Parameters
    ----------
    outcomes
        Of rows; each becomes an entry for every line of the manifest that went into it.
    fingerprints
        Of the lines, by ordinal.
    context
        Of the run.
    """
    lines = []
    for outcome in outcomes:
        common = outcome.record()
        common["settings"] = context.basis
        if isinstance(outcome, Failed):
            common["release"] = context.release
        lines += [
            sealed({**common, **facts.record(), **fingerprints[facts.ordinal]._asdict()}) for facts in outcome.sources
        ]
    return tuple(zip(*lines, strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkResult:
    """What became of a chunk's rows.

    Attributes
    ----------
    columns
        Of the rows that are done with, ready for the ledger.
    staged
        Converted rows whose files lie beside their places, for the run to settle.
    unsettled
        Lines that failed and of which nothing is recorded, since nothing was to be made of them yet.
    stopped
        Why the rest of the rows were not tried; empty where all were.
    """

    columns: Columns = ()
    staged: tuple[Converted, ...] = ()
    unsettled: int = 0
    stopped: str = ""
