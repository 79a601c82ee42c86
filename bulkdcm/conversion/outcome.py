"""What became of a row, its output or why there is none; and of a chunk, as columns that the ledger takes as they are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bulkdcm.ledger import seals
from bulkdcm.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bulkdcm.conversion.context import Context
    from bulkdcm.errors import Stage
    from bulkdcm.model import Fingerprint
    from bulkdcm.stores import Stored


# Wall time of each stage of a row, in seconds; a stage that it didn't come to takes none.
_NO_TIME = {"read_s": 0.0, "decode_s": 0.0, "build_s": 0.0, "encode_s": 0.0, "store_s": 0.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFacts:
    """The source of one line of the manifest; None where it was not read."""

    ordinal: int
    source_size_bytes: int | None = None
    source_sha256: str | None = None
    source_version: int | str | None = None

    def record(self) -> dict[str, Any]:
        """Return the facts, a key a ledger column."""
        return {
            "ordinal": self.ordinal,
            "source_size_bytes": self.source_size_bytes,
            "source_sha256": self.source_sha256,
            "source_version": self.source_version,
        }


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
        What it is, a key a ledger column.
    referenced
        Digest of the objects that it refers to; None for none.
    seconds, worker
        How long each stage took, and where.
    """

    sources: tuple[SourceFacts, ...]
    stored: Stored
    made: Mapping[str, Any]
    referenced: str | None
    seconds: Mapping[str, float]
    worker: int

    @property
    def ordinal(self) -> int:
        """Of the row."""
        return self.sources[0].ordinal

    def record(self) -> dict[str, Any]:
        """Return what all lines of the row have in common, a key a ledger column."""
        return {
            **self.made,
            "status": "converted",
            "output": self.stored.name,
            "output_size_bytes": self.stored.size_bytes,
            "output_sha256": self.stored.sha256,
            "output_version": self.stored.version,
            "referenced": self.referenced,
            "worker": self.worker,
            **_NO_TIME,
            **_in_whole_microseconds(self.seconds),
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
    seconds: Mapping[str, float] = field(default_factory=dict)
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
            **_NO_TIME,
            **_in_whole_microseconds(self.seconds),
        }


def _in_whole_microseconds(seconds: Mapping[str, float]) -> dict[str, float]:
    """Return times whose texts are short and come again: they are written thrice, and digits beyond are no stage's."""
    return {name: int(spent * 1e6 + 0.5) / 1e6 for name, spent in seconds.items()}


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
    lines: list[dict[str, Any]] = []
    for outcome in outcomes:
        common = outcome.record()
        common["settings"], common["run"] = context.basis, context.run
        if isinstance(outcome, Failed):
            common["release"] = context.release
        lines += [{**common, **facts.record(), **fingerprints[facts.ordinal]._asdict()} for facts in outcome.sources]
    return seals.columns_of(lines)


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
