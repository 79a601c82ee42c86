"""Tables to rows: read as columns, checked whole before anything runs, made into rows only where they are needed."""

from bulkdcm.manifest.agreement import numbered
from bulkdcm.manifest.cells import fault
from bulkdcm.manifest.defaults import by_option, check_defaults
from bulkdcm.manifest.paths import outside, unusable
from bulkdcm.manifest.preflight import Disk, check, checked
from bulkdcm.manifest.read import path_of, read
from bulkdcm.manifest.resolve import mirrored, part, resolve
from bulkdcm.manifest.selection import selected
from bulkdcm.manifest.sources import locate
from bulkdcm.manifest.table import Column, Manifest

__all__ = [
    "Column",
    "Disk",
    "Manifest",
    "by_option",
    "check",
    "check_defaults",
    "checked",
    "fault",
    "fold",
    "locate",
    "mirrored",
    "numbered",
    "outside",
    "part",
    "path_of",
    "read",
    "resolve",
    "selected",
    "unusable",
]
