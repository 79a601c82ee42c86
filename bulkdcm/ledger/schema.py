"""The ledger's columns, once: the table, its checksums, the report, its types and the README follow from `FIELDS`."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Kind = Literal["TEXT", "INTEGER", "REAL"]


@dataclass(frozen=True, slots=True)
class Field:
    """One column of the table `outcome`.

    Attributes
    ----------
    name
        Also a key of `Converted.record` and `Failed.record`, if a worker knows the value.
    kind
        SQLite's type, from which the report's follows.
    meaning
        In words, for the README; empty for what the report doesn't show.
    place
        Of the value in the row's checksum. It never changes, and a new field takes the next one.
    decides
        Place of the value in the checksum of what decides whether a row is done; 0 for one that doesn't.
    since
        Version of the ledger that has it first.
    """

    name: str
    kind: Kind
    meaning: str = ""
    place: int = 0
    decides: int = 0
    since: int = 1


# In the report's order.
FIELDS: tuple[Field, ...] = (
    Field("ordinal", "INTEGER", place=1),
    Field(
        "output",
        "TEXT",
        "DICOM file, relative to the output folder; of a failed row, the earlier one if it has one",
        place=7,
        decides=8,
    ),
    Field(
        "status",
        "TEXT",
        "`converted`, `failed`, or `pending` if the run ended before the row's turn",
        place=2,
        decides=1,
    ),
    Field(
        "stage",
        "TEXT",
        "where it failed: check, read, decode, build, encode, verify, store, crashed, timeout, unexpected",
        place=3,
    ),
    Field("error", "TEXT", "class of the error", place=4),
    Field("message", "TEXT", "what happened and what to do", place=5),
    Field("study_instance_uid", "TEXT", "Study Instance UID", place=8),
    Field("series_instance_uid", "TEXT", "Series Instance UID", place=9),
    Field("sop_instance_uid", "TEXT", "SOP Instance UID", place=10),
    Field("sop_class_uid", "TEXT", "SOP Class UID", place=11),
    Field("transfer_syntax_uid", "TEXT", "Transfer Syntax UID", place=12),
    Field("photometric_interpretation", "TEXT", "Photometric Interpretation", place=13),
    Field("rows", "INTEGER", "Rows", place=14),
    Field("columns", "INTEGER", "Columns", place=15),
    Field("bits_stored", "INTEGER", "Bits Stored", place=16),
    Field("samples_per_pixel", "INTEGER", "Samples per Pixel", place=17),
    Field("source_size_bytes", "INTEGER", "size of the image file", place=18, decides=6),
    Field("output_size_bytes", "INTEGER", "size of the DICOM file", place=19, decides=9),
    Field("source_sha256", "TEXT", "SHA-256 of the image file", place=20),
    Field("output_sha256", "TEXT", "SHA-256 of the DICOM file", place=21, decides=11),
    Field(
        "decisions", "TEXT", "what was decided about the pixels: passed through, decoded and why, rotated, …", place=22
    ),
    Field("read_s", "REAL", "seconds reading and hashing the source", place=23),
    Field("decode_s", "REAL", "seconds decoding, or parsing the stream", place=24),
    Field("build_s", "REAL", "seconds building the dataset", place=25),
    Field("encode_s", "REAL", "seconds encoding it", place=26),
    Field("store_s", "REAL", "seconds storing and hashing the output", place=27),
    Field("worker", "INTEGER", "process id of the worker", place=28),
    Field(
        "reason",
        "TEXT",
        "why it ran last: `new`, `failed before`, or what had changed; `failed before, unchanged` if it was not tried again",
        place=35,
    ),
    Field("attempt", "INTEGER", "how many times the row was tried", place=36, decides=12),
    Field(
        "earlier_source_sha256",
        "TEXT",
        "of a failed row whose earlier output is still in place: SHA-256 of the image that it was made from",
        place=38,
        since=2,
    ),
    Field("traceback", "TEXT", "of an error nobody foresaw", place=6),
    # What the report doesn't show.
    Field("source_version", "INTEGER", place=29, decides=7),
    Field("output_version", "INTEGER", place=30, decides=10),
    Field("identity", "INTEGER", place=31, decides=2),
    Field("metadata", "INTEGER", place=32, decides=3),
    Field("schema_number", "INTEGER", place=33, decides=4),
    Field("settings", "TEXT", place=34, decides=5),
    Field("release", "TEXT", place=37, since=2),
    Field("referenced", "TEXT", place=39, since=3),
    Field("run", "INTEGER", place=40, since=4),
)

UNCHANGED = "failed before, unchanged"
"""The reason of a row that wasn't tried again; only a report has it."""
VERSION = max(field.since for field in FIELDS)
CHECKSUMS = ("checksum", "decisive_checksum")
CONTENT: tuple[str, ...] = tuple(field.name for field in sorted(FIELDS, key=lambda field: field.place))
"""What is recorded of a row, in the order of its checksum."""
DECISIVE: tuple[str, ...] = (
    "ordinal",
    *(field.name for field in sorted(FIELDS, key=lambda field: field.decides) if field.decides),
)
"""What decides whether a row is done, with a checksum of its own, so that a resume reads no more than this."""
STORED = (*CONTENT, *CHECKSUMS)
"""The table's columns, as `sealed` gives their values."""
FILE_FACTS = ("output", "output_size_bytes", "output_version", "output_sha256")
"""What tells whether a file is the one that was written."""

_EMPTY: dict[str, Any] = dict.fromkeys(CONTENT)
_in_order = itemgetter(*CONTENT)
_decisive = itemgetter(*(CONTENT.index(name) for name in DECISIVE[1:]))


def values_of(record: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the values of a record in the order of `CONTENT`, None for those that aren't there."""
    values: tuple[Any, ...] = _in_order({**_EMPTY, **record})
    return values


def sealed(record: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return a row of the table as `STORED` has it: the values, None for those that aren't there, and the checksums.

    Parameters
    ----------
    record
        With keys of `CONTENT`.
    """
    values = values_of(record)
    return (*values, checksum(values[1:]), checksum(_decisive(values)))


def checksum(values: Sequence[Any]) -> int:
    """Return the checksum of a row's values; columns that a later release adds leave it as it was while they are empty."""
    last = len(values)
    while last and values[last - 1] is None:
        last -= 1
    return zlib.crc32(repr(tuple(values[:last])).encode("utf-8", "surrogatepass"))
