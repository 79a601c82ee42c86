"""The report's files and columns, once: CSV, Parquet, terminal and the documentation all follow this table."""

from __future__ import annotations

from typing import NamedTuple

CSV, PARQUET, SUMMARY = FILES = ("report.csv", "report.parquet", "summary.json")
TEMPORARY_SUFFIX = ".bulkdcm-tmp"  # as the storage's, which clears what a killed run leaves


class ReportColumn(NamedTuple):
    """One column of the report."""

    name: str
    dtype: str
    """pandas dtype; nullable, since a failed row has no pixels."""
    description: str


_TEXT, _COUNT, _SECONDS = "string", "Int64", "Float64"

COLUMNS: tuple[ReportColumn, ...] = (
    ReportColumn("line", _COUNT, "line of the manifest"),
    ReportColumn("source", _TEXT, "image, relative to the image root"),
    ReportColumn(
        "output", _TEXT, "DICOM file, relative to the output folder; of a failed row, the earlier one if it has one"
    ),
    ReportColumn("status", _TEXT, "`converted`, `failed`, or `pending` where the run ended before the row's turn"),
    ReportColumn(
        "stage", _TEXT, "where it failed: check, read, decode, build, encode, store, crashed, timeout, unexpected"
    ),
    ReportColumn("error", _TEXT, "class of the error"),
    ReportColumn("message", _TEXT, "what happened and what to do"),
    ReportColumn("study_instance_uid", _TEXT, "Study Instance UID"),
    ReportColumn("series_instance_uid", _TEXT, "Series Instance UID"),
    ReportColumn("sop_instance_uid", _TEXT, "SOP Instance UID"),
    ReportColumn("sop_class_uid", _TEXT, "SOP Class UID"),
    ReportColumn("transfer_syntax_uid", _TEXT, "Transfer Syntax UID"),
    ReportColumn("photometric_interpretation", _TEXT, "Photometric Interpretation"),
    ReportColumn("rows", _COUNT, "Rows"),
    ReportColumn("columns", _COUNT, "Columns"),
    ReportColumn("bits_stored", _COUNT, "Bits Stored"),
    ReportColumn("samples_per_pixel", _COUNT, "Samples per Pixel"),
    ReportColumn("source_size_bytes", _COUNT, "size of the image file"),
    ReportColumn("output_size_bytes", _COUNT, "size of the DICOM file"),
    ReportColumn("source_sha256", _TEXT, "SHA-256 of the image file"),
    ReportColumn("output_sha256", _TEXT, "SHA-256 of the DICOM file"),
    ReportColumn("decisions", _TEXT, "what was decided about the pixels: passed through, decoded and why, rotated, …"),
    ReportColumn("read_s", _SECONDS, "seconds reading and hashing the source"),
    ReportColumn("decode_s", _SECONDS, "seconds decoding, or parsing the stream"),
    ReportColumn("build_s", _SECONDS, "seconds building the dataset"),
    ReportColumn("encode_s", _SECONDS, "seconds encoding it"),
    ReportColumn("store_s", _SECONDS, "seconds storing and hashing the output"),
    ReportColumn("worker", _COUNT, "process id of the worker"),
    ReportColumn(
        "reason",
        _TEXT,
        "why it ran last: `new`, `failed before`, or what had changed; `failed before, unchanged` if it was not tried again",
    ),
    ReportColumn("attempt", _COUNT, "how many times the row was tried"),
    ReportColumn(
        "earlier_source_sha256",
        _TEXT,
        "of a failed row whose earlier output is still in place: SHA-256 of the image that it was made from",
    ),
    ReportColumn("traceback", _TEXT, "of an error nobody foresaw"),
)
STAGES = tuple(column.name for column in COLUMNS if column.name.endswith("_s"))
