"""Convert many PNG and JPEG images to conformant DICOM from a CSV manifest.

Examples
--------
>>> import bulkdcm
>>> report = bulkdcm.convert("manifest.csv", "dicom/", n_jobs=8)  # doctest: +SKIP
>>> report.table[["source", "status", "message"]]  # doctest: +SKIP
"""

from __future__ import annotations

TYPE_CHECKING = False  # typing takes as long to import as all else before the entry point has seen to Ctrl-C
if TYPE_CHECKING:
    from bulkdcm._version import __version__
    from bulkdcm.conversion.api import check, convert, plan, rebuild, verify
    from bulkdcm.draft import init
    from bulkdcm.errors import (
        AttributeValueError,
        BulkdcmError,
        BusyError,
        ClusterError,
        EncodeError,
        LedgerError,
        ManifestError,
        PixelError,
        ReadError,
        RowError,
        RunError,
        SettingsError,
        StorageError,
        StoreError,
        VerificationError,
    )
    from bulkdcm.proof.verification import Finding, Verification
    from bulkdcm.report import Report
    from bulkdcm.report.read import read_report
    from bulkdcm.settings import Settings
    from bulkdcm.watch import Progress

__all__ = [
    "AttributeValueError",
    "BulkdcmError",
    "BusyError",
    "ClusterError",
    "EncodeError",
    "Finding",
    "LedgerError",
    "ManifestError",
    "PixelError",
    "Progress",
    "ReadError",
    "Report",
    "RowError",
    "RunError",
    "Settings",
    "SettingsError",
    "StorageError",
    "StoreError",
    "Verification",
    "VerificationError",
    "__version__",
    "check",
    "convert",
    "init",
    "plan",
    "read_report",
    "rebuild",
    "verify",
]

# pydicom, pandas and joblib take most of a second to import, which `bulkdcm --help` need not wait for; and nothing at all
# is imported before the entry point has seen to Ctrl-C.
_LAZY = {
    **dict.fromkeys((name for name in __all__ if name.endswith("Error")), "bulkdcm.errors"),
    "__version__": "bulkdcm._version",
    "Progress": "bulkdcm.watch",
    "Report": "bulkdcm.report",
    "check": "bulkdcm.conversion.api",
    "init": "bulkdcm.draft",
    "convert": "bulkdcm.conversion.api",
    "plan": "bulkdcm.conversion.api",
    "read_report": "bulkdcm.report.read",
    "rebuild": "bulkdcm.conversion.api",
    "Settings": "bulkdcm.settings",
    "Finding": "bulkdcm.proof.verification",
    "Verification": "bulkdcm.proof.verification",
    "verify": "bulkdcm.conversion.api",
}


if not TYPE_CHECKING:  # to which any name would else be one of the package's

    def __getattr__(name: str) -> object:
        if name in _LAZY:
            from importlib import import_module  # noqa: PLC0415  # as said above

            return getattr(import_module(_LAZY[name]), name)
        msg = f"module 'bulkdcm' has no attribute {name!r}"
        raise AttributeError(msg)


def __dir__() -> list[str]:
    return sorted(__all__)
