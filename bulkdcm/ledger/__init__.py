"""The run's memory: what became of each row, in one SQLite file."""

from bulkdcm.ledger.files import FILE, FOLDER, set_aside
from bulkdcm.ledger.ledger import Ledger, RecordedObject, open_ledger
from bulkdcm.ledger.lock import Lock
from bulkdcm.ledger.schema import CONTENT, DECISIVE, FIELDS, STORED, sealed

__all__ = [
    "CONTENT",
    "DECISIVE",
    "FIELDS",
    "FILE",
    "FOLDER",
    "STORED",
    "Ledger",
    "Lock",
    "RecordedObject",
    "open_ledger",
    "sealed",
    "set_aside",
]
