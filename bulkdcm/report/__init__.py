"""The ledger made into something people like to look at: a DataFrame, CSV, Parquet, JSON and a terminal summary."""

from bulkdcm.report.columns import COLUMNS
from bulkdcm.report.report import CSV, PARQUET, SUMMARY, Report, frame_of, warm_up

__all__ = ["COLUMNS", "CSV", "PARQUET", "SUMMARY", "Report", "frame_of", "warm_up"]
