"""A pandas DataFrame as columns: by the same rule as every typed table."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bulkdcm.manifest.header import understood
from bulkdcm.manifest.readers import text
from bulkdcm.manifest.readers.growing import Growing

if TYPE_CHECKING:
    from bulkdcm.manifest.readers.base import Form
    from bulkdcm.manifest.table import Column, Manifest
    from bulkdcm.model import Problem

NAME = "DataFrame"


def read(frame: Any, form: Form) -> Manifest:
    """Return a DataFrame as a manifest; its lines are the numbers of its rows, from 1.

    Parameters
    ----------
    frame
        The DataFrame; its index is left out.
    form
        As for every reader.

    Raises
    ------
    ManifestError
        With every value that no text is certain for.
    """
    path = Path(NAME)
    names, notes = understood(path, list(map(str, frame.columns)), form)
    lines = np.arange(1, len(frame) + 1, dtype=np.int32)
    columns = ((name, _column(frame.iloc[:, index], name, lines)) for index, name in enumerate(names))
    return text.manifest_of(path, columns, lines, notes)


def _column(series: Any, name: str, lines: Any) -> tuple[Column, list[Problem]]:
    if series.dtype != object:  # where 1, 1.0 and True may be beside one another, which are equal and no one text
        with contextlib.suppress(TypeError, NotImplementedError):  # of lists, which aren't told apart
            codes, values = series.factorize()  # a code of -1 is for what is missing
            distinct = [*_as_stored(values, series.dtype), None]
            codes = np.where(codes < 0, len(distinct) - 1, codes).astype(np.int32)
            return text.column_of(name, codes, distinct, lines)
    growing = Growing()
    for row, value in enumerate(series.tolist()):
        growing.put(row, value)
    return growing.column(name, lines)


def _as_stored(values: Any, dtype: Any) -> list[Any]:
    """Return values one by one; numbers of 32 bits or less as such, which have fewer digits."""
    kind = getattr(getattr(dtype, "categories", None), "dtype", dtype)
    kind = getattr(kind, "numpy_dtype", kind)
    few = isinstance(kind, np.dtype) and kind.kind == "f" and kind.itemsize < np.dtype(float).itemsize
    return list(np.asarray(values, dtype=kind)) if few else list(values)
