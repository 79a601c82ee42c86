"""A report's file back to the DataFrame that it was written of."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bulkdcm.errors import StorageError
from bulkdcm.report.columns import COLUMNS

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence

    import pandas as pd

_ESCAPED = re.compile(r"'+[=+\-@\t\r\n]")
_NUMBERS: dict[str, Callable[[str], float]] = {"Int64": int, "Float64": float}


def read_report(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Return a report as ``report.table`` has it, with the same types.

    Parameters
    ----------
    path
        The output folder of a run, whose ``report.csv`` is read; or a ``report.csv`` or ``report.parquet``.

    Raises
    ------
    StorageError
        If there is no report, or the file is none.
    """
    found = Path(path)
    file = found / "report.csv" if found.is_dir() else found
    try:
        table = _parquet(file) if file.suffix == ".parquet" else _csv(file)
    except OSError as error:
        msg = f"{file}: {error.strerror or error}. Name the output folder of a run, or a report.csv or report.parquet."
        raise StorageError(msg) from error
    except ValueError as error:
        msg = f"{file}: it can't be read as a report: {error}. Name one that bulkdcm has written."
        raise StorageError(msg) from error
    return table


def _csv(file: Path) -> pd.DataFrame:
    with file.open(encoding="utf-8", newline="") as lines:
        reader = csv.reader(lines)  # which takes every character as it is; pandas' own doesn't
        try:
            names = next(reader, [])
            _refuse_strange(names)
            rows = list(reader)
        except csv.Error as error:
            raise ValueError(str(error)) from error
    columns = [_meant(cells) for cells in zip(*rows, strict=True)] or [[] for _ in names]
    return _typed(dict(zip(names, columns, strict=True)), len(rows))


def _parquet(file: Path) -> pd.DataFrame:
    import pandas as pd

    try:
        table = pd.read_parquet(file)
    except ImportError as error:
        msg = "Parquet needs pyarrow: pip install 'bulkdcm[parquet]', or read report.csv"
        raise ValueError(msg) from error
    _refuse_strange(list(table.columns))
    columns = {name: column.astype(object).where(column.notna(), None).tolist() for name, column in table.items()}
    return _typed(columns, len(table))


def _refuse_strange(names: Sequence[str]) -> None:
    known = [column.name for column in COLUMNS]
    if names[:4] != known[:4]:
        msg = f"its columns aren't those of a report, which begin {', '.join(known[:4])}"
        raise ValueError(msg)
    if unknown := [name for name in names if name not in known]:
        msg = f"it has columns that this release doesn't know ({', '.join(unknown[:3])}); update bulkdcm"
        raise ValueError(msg)


def _meant(cells: Sequence[str]) -> list[str | None]:
    """Return cells as they were before the apostrophe that keeps a spreadsheet from running them."""
    return [(cell[1:] if cell[0] == "'" and _ESCAPED.match(cell) else cell) if cell else None for cell in cells]


def _typed(columns: dict[Any, list[Any]], rows: int) -> pd.DataFrame:
    """Return columns with the types that they have in a report; those that an earlier release didn't have are empty."""
    import pandas as pd

    array: Any = pd.array  # its overloads know no name of a type that varies
    found = {}
    for column in COLUMNS:
        values = columns.get(column.name) or [None] * rows
        number = _NUMBERS.get(column.dtype)
        if number:
            values = [None if value is None else number(value) for value in values]
        found[column.name] = array(values, dtype=column.dtype)
    return pd.DataFrame(found)
