"""The ledger made into something people like to look at: a table, files by `WRITERS`, and a terminal's summary."""

from bulkdcm.ledger.files import FOLDER
from bulkdcm.report.columns import COLUMNS
from bulkdcm.report.from_ledger import recorded
from bulkdcm.report.refusal import refused_since, write_refusal
from bulkdcm.report.report import Asked, Report
from bulkdcm.report.rows import Rows, complete, completed
from bulkdcm.report.verified import FILE as VERIFIED
from bulkdcm.report.verified import verified
from bulkdcm.report.writers import PAGE, SUMMARY, TABLE, WRITERS, refuse_foreign, write

RESERVED = (*WRITERS, VERIFIED, FOLDER)
"""Names in the output folder that no output may have."""

__all__ = [
    "COLUMNS",
    "PAGE",
    "RESERVED",
    "SUMMARY",
    "TABLE",
    "VERIFIED",
    "WRITERS",
    "Asked",
    "Report",
    "Rows",
    "complete",
    "completed",
    "recorded",
    "refuse_foreign",
    "refused_since",
    "verified",
    "write",
    "write_refusal",
]
