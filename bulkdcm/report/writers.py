"""The report's files, one writer each: what it is called, how it is written, and how one of ours is known again.

The names that no output may have follow from `WRITERS`.
"""

from __future__ import annotations

import csv
import io
import json
import stat
from importlib.util import find_spec
from typing import IO, TYPE_CHECKING, Any, Protocol

from bulkdcm.errors import StorageError
from bulkdcm.printable import ERRORS
from bulkdcm.report.columns import COLUMNS

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from bulkdcm.report.report import Report
    from bulkdcm.stores import Store

# Those of the first release; later ones only add.
_FIRST = [column.name for column in COLUMNS[:4]]
_COUNTS = {"rows", "converted", "failed", "pending"}
_QUOTED, _FORMULA_STARTS = ',"\r\n', "=+-@\t\r\n"
_SPECIAL = (*_QUOTED, *(f"\0{start}" for start in _FORMULA_STARTS))  # in texts with a zero byte before each
_BLOCK = 20_000  # rows made into text at once


class Writer(Protocol):
    """One kind of file."""

    def available(self) -> bool:
        """Whether what it is written with is installed."""
        ...

    def write(self, report: Report, file: IO[bytes]) -> None:
        """Write a report into a file that is open."""
        ...

    def recognise(self, path: Path) -> bool:
        """Whether a regular file that isn't empty is one of ours, which a run may replace."""
        ...


class _Csv:
    """``report.csv``: a line a row, for people and their spreadsheets."""

    def available(self) -> bool:
        """Return True."""
        return True

    def write(self, report: Report, file: IO[bytes]) -> None:
        """Write the lines in blocks, as pandas would and in a fraction of its time."""
        text = io.TextIOWrapper(file, encoding="utf-8", errors=ERRORS, newline="")
        text.write(",".join(column.name for column in COLUMNS) + "\n")
        for start in range(0, len(report.table), _BLOCK):
            block = report.table.iloc[start : start + _BLOCK]
            cells = [_cells(block[column.name], column.dtype) for column in COLUMNS]
            text.write("\n".join(map(",".join, zip(*cells, strict=True))) + "\n")
        text.detach()  # the file is closed by whoever opened it

    def recognise(self, path: Path) -> bool:
        """Whether the header begins as ours does."""
        with path.open(encoding="utf-8", errors="replace", newline="") as file:
            first = file.readline(10_000)
        try:
            return next(csv.reader([first]), [])[: len(_FIRST)] == _FIRST
        except csv.Error:
            return False


class _Parquet:
    """``report.parquet``: the table with its types, for programs."""

    def available(self) -> bool:
        """Whether pyarrow is there."""
        return find_spec("pyarrow") is not None

    def write(self, report: Report, file: IO[bytes]) -> None:
        """Write the table."""
        report.table.to_parquet(file, index=False)

    def recognise(self, path: Path) -> bool:
        """Whether the columns are ours; where they can't be read, none is written either."""
        try:
            from pyarrow import ArrowException, parquet  # noqa: PLC0415  # an extra, and slow to import
        except ImportError:
            return True
        try:
            with path.open("rb") as file:
                return set(_FIRST) <= set(parquet.read_schema(file).names)
        except ArrowException:
            return False


class _Summary:
    """``summary.json``: counts, causes and rates."""

    def available(self) -> bool:
        """Return True."""
        return True

    def write(self, report: Report, file: IO[bytes]) -> None:
        """Write the summary."""
        text = json.dumps(report.summary(), indent=2, ensure_ascii=False) + "\n"
        file.write(text.encode("utf-8", ERRORS))

    def recognise(self, path: Path) -> bool:
        """Whether the counts of rows are there."""
        try:
            found = json.loads(path.read_bytes())
        except (ValueError, RecursionError):
            return False
        return isinstance(found, dict) and found.keys() >= _COUNTS


WRITERS: dict[str, Writer] = {"report.csv": _Csv(), "report.parquet": _Parquet(), "summary.json": _Summary()}
"""By the name of the file; none other may be written into the output folder."""


def write(report: Report, outputs: Store) -> None:
    """Write every file of a report.

    Raises
    ------
    StorageError
        Where one can't be written.
    """
    for name, writer in WRITERS.items():
        if writer.available():
            with outputs.writing(name) as file:
                writer.write(report, file)


def refuse_foreign(folder: Path) -> None:
    """Refuse an output folder where a report would replace a file that is none.

    Raises
    ------
    StorageError
        Where there is one; names it.
    """
    for name, writer in WRITERS.items():
        path = folder / name
        try:
            found = path.lstat()
            if stat.S_ISREG(found.st_mode) and (not found.st_size or writer.recognise(path)):
                continue
        except FileNotFoundError:
            continue
        except OSError as error:
            msg = f"{path}: {error.strerror}, so it can't be seen whether it is a report of bulkdcm. Mend it, or move it away."
            raise StorageError(msg) from error
        msg = f"{path} is no report of bulkdcm, and the run would replace it. Move it away, or use another --out."
        raise StorageError(msg)


def _cells(column: pd.Series[Any], dtype: str) -> list[str]:
    """Return a column's cells as CSV has them (RFC 4180); before what a spreadsheet would run as a formula, an apostrophe (OWASP)."""
    as_objects: Any = column.to_numpy  # its overloads know no value for what is missing
    found: list[Any] = as_objects(dtype=object, na_value=None).tolist()
    if dtype != "string":
        return ["" if value is None else repr(value) for value in found]
    texts = [text or "" for text in found]
    together = "\0".join(["", *texts])
    if any(special in together for special in _SPECIAL):
        return [_cell(text) for text in texts]
    return texts  # as of nearly every column


def _cell(text: str) -> str:
    harmless = f"'{text}" if text and text[0] in _FORMULA_STARTS else text
    quoted = any(character in harmless for character in _QUOTED)
    return '"' + harmless.replace('"', '""') + '"' if quoted else harmless
