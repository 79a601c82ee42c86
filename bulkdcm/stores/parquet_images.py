"""Images in the cells of a Parquet file: a column of bytes, or of structs with a field ``bytes`` as Hugging Face writes it.

A member's path is the column and the number of the row, from 0: ``image/17``.
"""

from __future__ import annotations

import importlib
import os
from typing import IO, TYPE_CHECKING, Any

from bulkdcm.stores.archives import key
from bulkdcm.stores.members import MOST_MEMBERS, DamagedError, Member, bomb, is_bomb, size_fault, too_many

if TYPE_CHECKING:
    from collections.abc import Iterator

_NO_PARQUET = "it is a Parquet file, and the package for it isn't there. Install it: pip install bulkdcm[parquet]"
_FIELD = "bytes"
_ROWS = 16  # that are held at once
_BUFFER_BYTES = 2**20


class Table:
    """A Parquet file.

    Parameters
    ----------
    file
        Of it, open.
    version
        Of the file: a cell has no checksum of its own.
    """

    def __init__(self, file: IO[bytes], version: str) -> None:
        self._file, self._version = file, version
        self._data = b""

    def members(self) -> Iterator[Member]:
        """Yield the cells of all columns that hold bytes.

        Raises
        ------
        DamagedError
            If they can't be had.
        """
        try:
            arrow, parquet = (importlib.import_module(name) for name in ("pyarrow", "pyarrow.parquet"))
        except ImportError as error:
            raise DamagedError(_NO_PARQUET) from error
        try:
            yield from self._cells(parquet.ParquetFile(self._file, pre_buffer=False, buffer_size=_BUFFER_BYTES))
        except (arrow.ArrowException, OSError, ValueError, KeyError) as error:
            msg = f"it is damaged: {str(error).partition(chr(10))[0]}"
            raise DamagedError(msg) from error

    def data(self, member: Member) -> Iterator[bytes]:
        """Yield the bytes of the cell that came last."""
        del member
        yield self._data

    def _cells(self, table: Any) -> Iterator[Member]:
        columns = [(field.name, path) for field in table.schema_arrow if (path := _path_of(field))]
        if not columns:
            msg = "no column of it holds bytes"
            raise DamagedError(msg)
        if table.metadata.num_rows * len(columns) > MOST_MEMBERS:
            raise too_many()
        _check_packing(table.metadata)
        first = total = 0
        size = os.fstat(self._file.fileno()).st_size
        for batch in table.iter_batches(_ROWS, columns=[path for _, path in columns], use_threads=False):
            for name, path in columns:
                cells = batch.column(name)
                if path != name:
                    cells = cells.flatten()[0]  # a struct that is null has null bytes
                for row, cell in enumerate(cells):
                    yield self._member(f"{name}/{first + row}", cell.as_py())
                    total += len(self._data)
            first += len(batch)
            if is_bomb(total, size):
                raise bomb(total, size)

    def _member(self, path: str, data: bytes | None) -> Member:
        self._data = data or b""
        size = len(self._data)
        fault = "its cell holds no bytes" if data is None else size_fault(size, size)
        return Member(key(path), 0, size, size, -1, deflated=False, version=self._version, fault=fault)


def _path_of(field: Any) -> str:
    """Return the path of a column's bytes within the file; empty if it holds none."""
    if str(field.type) in {"binary", "large_binary"}:
        return str(field.name)
    inner = {each.name: each for each in field.type} if str(field.type).startswith("struct<") else {}
    return f"{field.name}.{_FIELD}" if _FIELD in inner and _path_of(inner[_FIELD]) else ""


def _check_packing(metadata: Any) -> None:
    """Refuse pages that unpack to far more than they take, before one is unpacked."""
    for group in range(metadata.num_row_groups):
        for number in range(metadata.num_columns):
            column = metadata.row_group(group).column(number)
            if is_bomb(column.total_uncompressed_size, column.total_compressed_size):
                raise bomb(column.total_uncompressed_size, column.total_compressed_size)
