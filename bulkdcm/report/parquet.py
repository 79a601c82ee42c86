"""Blocks to Parquet, without pandas: its import takes longer than a small run, and arrow's own way from texts imports it."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from bulkdcm.report.columns import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import IO

    from bulkdcm.ledger.block import Block

_GROUP = 100  # blocks that are written together
# Of which each row has its own value, so that looking for those that come again is in vain.
_UNLIKE = {"line", "source", "output", "sop_instance_uid", "source_sha256", "output_sha256"}
_EMPTY: dict[str, Any] = {"string": "", "Int64": 0, "Float64": 0.0}


class ParquetFile:
    """A Parquet file while it is written, with what pandas wants to know of its columns' types.

    Parameters
    ----------
    file
        Open for writing.
    """

    def __init__(self, file: IO[bytes]) -> None:
        from pyarrow import parquet

        self._schema = _schema()
        alike = [column.name for column in COLUMNS if column.name not in _UNLIKE]
        self._writer = parquet.ParquetWriter(file, self._schema, use_dictionary=alike)
        self._batches: list[Any] = []

    def take(self, block: Block) -> None:
        """Write the next rows, by and by."""
        from pyarrow import record_batch

        arrays = [
            _repeated(block.same[column.name], column.dtype, block.count)
            if column.name in block.same
            else _array(block.varying[column.name], column.dtype)
            for column in COLUMNS
        ]
        self._batches.append(record_batch(arrays, schema=self._schema))
        if len(self._batches) == _GROUP:
            self._flush()

    def close(self) -> None:
        """Write what is left, and the end of the file."""
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        from pyarrow import Table

        if self._batches:
            self._writer.write_table(Table.from_batches(self._batches))
            self._batches = []


def _schema() -> Any:
    from pyarrow import schema

    told = [
        {
            "name": column.name,
            "field_name": column.name,
            "pandas_type": "object" if column.dtype == "string" else column.dtype.lower(),
            "numpy_type": column.dtype,
            "metadata": None,
        }
        for column in COLUMNS
    ]
    known = {"index_columns": [], "column_indexes": [], "columns": told, "pandas_version": "2.2.3"}
    return schema([(column.name, _types()[column.dtype]) for column in COLUMNS], {"pandas": json.dumps(known)})


def _types() -> dict[str, Any]:
    import pyarrow as pa

    return {"string": pa.large_string(), "Int64": pa.int64(), "Float64": pa.float64()}


@lru_cache(maxsize=256)  # of a few values a column
def _repeated(value: Any, dtype: str, count: int) -> Any:
    return _array([value] * count, dtype)


def _array(values: Sequence[Any], dtype: str) -> Any:
    """Return values, or None, as arrow has them."""
    from pyarrow import Array, py_buffer

    validity = None
    if None in values:
        present = [value is not None for value in values]
        validity = py_buffer(np.packbits(present, bitorder="little"))
        values = [_EMPTY[dtype] if value is None else value for value in values]
    if dtype != "string":
        numbers = np.array(values, dtype=dtype.lower())
        return Array.from_buffers(_types()[dtype], len(values), [validity, py_buffer(numbers)])
    together = "".join(values)
    encoded = values if together.isascii() else [text.encode() for text in values]
    ends = np.zeros(len(values) + 1, dtype=np.int64)
    np.cumsum(list(map(len, encoded)), out=ends[1:])
    return Array.from_buffers(_types()[dtype], len(values), [validity, py_buffer(ends), py_buffer(together.encode())])
