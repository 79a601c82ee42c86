"""The ledger made into something people like to look at: a DataFrame, CSV, Parquet, JSON and a terminal summary."""

from bulkdcm.ledger_files import FOLDER
from bulkdcm.report.columns import COLUMNS, CSV, FILES, PARQUET, SUMMARY
from bulkdcm.report.foreign import refuse_foreign
from bulkdcm.report.report import Report, frame_of, warm_up

RESERVED = (*FILES, FOLDER)
"""Names in the output folder that no output may have."""

__all__ = [
    "COLUMNS",
    "CSV",
    "FILES",
    "PARQUET",
    "RESERVED",
    "SUMMARY",
    "Report",
    "frame_of",
    "refuse_foreign",
    "warm_up",
]
