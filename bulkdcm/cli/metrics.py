"""The figures of the last run for Prometheus, in a file that its node exporter reads."""

from __future__ import annotations

import os
from datetime import datetime
from typing import TYPE_CHECKING, Any

from bulkdcm import filesystem
from bulkdcm.errors import SettingsError, StorageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_METRICS = {
    "exit_code": "Exit code of the last run",
    "rows": "Rows of the manifest",
    "converted": "Rows that are converted",
    "failed": "Rows that failed",
    "pending": "Rows that are left",
    "converted_now": "Rows that the last run converted",
    "failed_now": "Rows that failed in the last run",
    "elapsed_s": "Duration of the last run in seconds",
    "source_size_bytes": "Bytes of images that the last run converted",
    "output_size_bytes": "Bytes of files that the last run wrote",
}
_PREFIX = "bulkdcm_"


def check_metrics(path: Path) -> None:
    """Refuse a file for figures that is none of ours.

    Raises
    ------
    SettingsError
        If something else has the name.
    """
    if not os.path.lexists(path):
        return
    if not path.is_file() or (path.stat().st_size and not path.read_bytes().startswith(f"# HELP {_PREFIX}".encode())):
        msg = f"--metrics {path}: there is another file. Name one that may be replaced."
        raise SettingsError(msg)


def write_metrics(path: Path, facts: Mapping[str, Any]) -> None:
    """Write the figures of a run as Prometheus reads them from text files.

    Raises
    ------
    StorageError
        If the file can't be written.
    """
    lines = []
    for name, meaning in _METRICS.items():
        if name in facts:
            metric = f"{_PREFIX}{name.removesuffix('_s')}{'_seconds' if name.endswith('_s') else ''}"
            lines += [f"# HELP {metric} {meaning}", f"# TYPE {metric} gauge", f"{metric} {facts[name]}"]
    ended = datetime.fromisoformat(facts["ended_at"]).timestamp()
    lines += [
        f"# HELP {_PREFIX}ended_timestamp_seconds When the last run ended",
        f"# TYPE {_PREFIX}ended_timestamp_seconds gauge",
        f"{_PREFIX}ended_timestamp_seconds {ended}",
    ]
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        beside.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
        filesystem.replace(str(beside), str(path))
    except OSError as error:
        msg = f"--metrics {path}: {error.strerror}. The run itself is done."
        raise StorageError(msg) from error
