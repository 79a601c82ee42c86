"""Whether a file with the name of a report is one, before a run would replace it."""

from __future__ import annotations

import csv
import json
import stat
from typing import TYPE_CHECKING

from bulkdcm.errors import StorageError
from bulkdcm.report.columns import COLUMNS, CSV, PARQUET, SUMMARY

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# Those of the first release; later ones only add.
_FIRST = [column.name for column in COLUMNS[:4]]
_COUNTS = {"rows", "converted", "failed", "pending"}


def refuse_foreign(folder: Path) -> None:
    """Refuse an output folder where a report would replace a file that is none.

    Raises
    ------
    StorageError
        Where there is one; names it.
    """
    for name, ours in _RECOGNISED.items():
        path = folder / name
        try:
            found = path.lstat()
            if stat.S_ISREG(found.st_mode) and (not found.st_size or ours(path)):
                continue
        except FileNotFoundError:
            continue
        except OSError as error:
            msg = f"{path}: {error.strerror}, so it can't be seen whether it is a report of bulkdcm. Mend it, or move it away."
            raise StorageError(msg) from error
        msg = f"{path} is no report of bulkdcm, and the run would replace it. Move it away, or use another --out."
        raise StorageError(msg)


def _is_csv(path: Path) -> bool:
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        first = file.readline(10_000)
    try:
        return next(csv.reader([first]), [])[: len(_FIRST)] == _FIRST
    except csv.Error:
        return False


def _is_parquet(path: Path) -> bool:
    try:
        from pyarrow import ArrowException, parquet  # noqa: PLC0415  # an extra, and slow to import
    except ImportError:
        return True  # nor is one written then
    try:
        with path.open("rb") as file:
            return set(_FIRST) <= set(parquet.read_schema(file).names)
    except ArrowException:
        return False


def _is_summary(path: Path) -> bool:
    try:
        found = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and found.keys() >= _COUNTS


_RECOGNISED: dict[str, Callable[[Path], bool]] = {CSV: _is_csv, PARQUET: _is_parquet, SUMMARY: _is_summary}
