"""The ledger made into something people like to look at: a table, files by `WRITERS`, and a terminal's summary."""

from bulkdcm.ledger.files import FOLDER
from bulkdcm.report.columns import COLUMNS
from bulkdcm.report.refusal import write_refusal
from bulkdcm.report.report import Asked, Report
from bulkdcm.report.rows import Rows, complete
from bulkdcm.report.writers import WRITERS, refuse_foreign, write

VERIFIED = "verify.json"
"""What `bulkdcm verify` leaves there."""
RESERVED = (*WRITERS, VERIFIED, FOLDER)
"""Names in the output folder that no output may have."""

__all__ = [
    "COLUMNS",
    "RESERVED",
    "VERIFIED",
    "WRITERS",
    "Asked",
    "Report",
    "Rows",
    "complete",
    "refuse_foreign",
    "write",
    "write_refusal",
]
