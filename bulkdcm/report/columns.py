"""The report's columns: the lines of the manifest, then what the ledger's `FIELDS` have words for."""

from __future__ import annotations

from typing import NamedTuple

from bulkdcm.ledger.schema import FIELDS

_DTYPES = {"TEXT": "string", "INTEGER": "Int64", "REAL": "Float64"}


class ReportColumn(NamedTuple):
    """One column of the report."""

    name: str
    dtype: str
    """pandas dtype; nullable, since a failed row has no pixels."""
    description: str


COLUMNS: tuple[ReportColumn, ...] = (
    ReportColumn("line", "Int64", "line of the manifest"),
    ReportColumn("source", "string", "image, relative to the image root"),
    *(ReportColumn(field.name, _DTYPES[field.kind], field.meaning) for field in FIELDS if field.meaning),
)
STAGES = tuple(column.name for column in COLUMNS if column.name.endswith("_s"))
