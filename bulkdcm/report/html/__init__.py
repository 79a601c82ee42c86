"""``report.html``: one file that opens from the disk, without a network, and says what became of every row."""

from bulkdcm.report.html.page import GENERATOR, Page

__all__ = ["GENERATOR", "Page"]
