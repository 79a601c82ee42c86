"""Parquet and Arrow files to columns: each read by itself, its values made text once."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any

import numpy as np

from bulkdcm.errors import ManifestError, SettingsError
from bulkdcm.manifest.header import understood
from bulkdcm.manifest.readers import text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bulkdcm.manifest.readers.base import Form
    from bulkdcm.manifest.table import Manifest

_PARQUET, _ARROW = b"PAR1", b"ARROW1"
_STREAM = b"\xff\xff\xff\xff"
"""What a stream of Arrow begins with, as Hugging Face's caches are."""
_MOST_ROWS, _MOST_BYTES = 100_000_000, 16 * 2**30


def fits(name: str, head: bytes) -> bool:
    """See `Reader`."""
    del name
    return head.startswith((_PARQUET, _ARROW, _STREAM))


def read(path: Path, file: IO[bytes], form: Form) -> Manifest:
    """Return a Parquet or Arrow file as columns; see `Reader`. Columns of bytes, such as images, are left out.

    Raises
    ------
    ManifestError
        If it is damaged, too large, or holds what no text is certain for.
    SettingsError
        If pyarrow isn't installed.
    """
    try:
        import pyarrow as pa
    except ImportError as error:
        msg = f"{path}: Parquet and Arrow files need pyarrow: pip install bulkdcm[parquet]."
        raise SettingsError(msg) from error
    try:
        return _read(path, _opened(file), form)
    except (pa.ArrowException, OSError, OverflowError) as error:
        said = str(error).strip().splitlines()[0].rstrip(".")
        msg = f"{path}: the file is damaged, or not what it says: {said}. Write it again."
        raise ManifestError(msg) from error


def _opened(file: IO[bytes]) -> _Parquet | _Arrow:
    head = file.read(len(_ARROW))
    file.seek(0)
    return _Parquet(file) if head.startswith(_PARQUET) else _Arrow(file, stream=head.startswith(_STREAM))


class _Parquet:
    """A Parquet file: its columns are read one after another.

    Parameters
    ----------
    file
        Open.
    """

    def __init__(self, file: IO[bytes]) -> None:
        from pyarrow import parquet

        self._file = parquet.ParquetFile(file)
        self.schema = self._file.schema_arrow
        meta = self._file.metadata
        self.rows = meta.num_rows
        self._bytes: dict[str, int] = {}
        for group in range(meta.num_row_groups):
            for index in range(meta.num_columns):
                column = meta.row_group(group).column(index)
                top = column.path_in_schema.partition(".")[0]
                self._bytes[top] = self._bytes.get(top, 0) + column.total_uncompressed_size

    def size_bytes(self, name: str) -> int:
        """Return what a column says to hold."""
        return self._bytes.get(name, 0)

    def column(self, path: tuple[str, ...]) -> Any:
        """Return a column, or a field of one, as a chunked array."""
        table = self._file.read(columns=[".".join(path)], use_threads=False)
        while (
            table.num_columns
            and table.schema.field(0).type.num_fields
            and hasattr(table.schema.field(0).type, "fields")
        ):
            table = table.flatten()
        return table.column(0)


class _Arrow:
    """An Arrow file, as `_Parquet`.

    Parameters
    ----------
    file
        Open.
    stream
        Whether it has the form of a stream.
    """

    def __init__(self, file: IO[bytes], *, stream: bool) -> None:
        import pyarrow as pa

        self._table = (pa.ipc.open_stream if stream else pa.ipc.open_file)(file).read_all()
        self.schema, self.rows = self._table.schema, self._table.num_rows

    def size_bytes(self, name: str) -> int:
        """Return what a column holds."""
        return int(self._table.column(name).nbytes)

    def column(self, path: tuple[str, ...]) -> Any:
        """Return a column, or a field of one, as a chunked array."""
        import pyarrow.compute as pc

        found = self._table.column(path[0])
        return pc.struct_field(found, list(path[1:])) if len(path) > 1 else found


def _read(path: Path, source: _Parquet | _Arrow, form: Form) -> Manifest:
    if source.rows > _MOST_ROWS:
        msg = f"{path}: {source.rows:,} rows are more than {_MOST_ROWS:,}. Divide the table."
        raise ManifestError(msg)
    wanted = list(_fields(source.schema))
    names, notes = understood(path, [".".join(where) for where in wanted], form)
    lines = np.arange(1, source.rows + 1, dtype=np.int32)
    if sum(source.size_bytes(name) for name in {where[0] for where in wanted}) > _MOST_BYTES:
        msg = f"{path}: its columns hold more than {_MOST_BYTES / 2**30:.0f} GiB. Leave those out that no rule needs."
        raise ManifestError(msg)
    columns = (
        (name, text.column_of(name, *_coded(source.column(where)), lines))
        for name, where in zip(names, wanted, strict=True)
    )
    return text.manifest_of(path, columns, lines, notes)


def _fields(schema: Any) -> Iterator[tuple[str, ...]]:
    """Yield where each column is that isn't bytes: its name, and those of the fields of tables within."""
    import pyarrow.types as kinds

    todo: list[tuple[tuple[str, ...], Any]] = [((field.name,), field.type) for field in schema]
    for path, kind in todo:
        if kinds.is_struct(kind):
            todo.extend(((*path, kind.field(index).name), kind.field(index).type) for index in range(kind.num_fields))
        elif not _is_bytes(kind):
            yield path


def _is_bytes(kind: Any) -> bool:
    import pyarrow.types as kinds

    if kinds.is_dictionary(kind):
        return _is_bytes(kind.value_type)
    return bool(
        kinds.is_binary(kind)
        or kinds.is_large_binary(kind)
        or kinds.is_fixed_size_binary(kind)
        or kinds.is_binary_view(kind)
    )


def _coded(array: Any) -> tuple[Any, list[Any]]:
    """Return a code for each row and the distinct values; None is one of them."""
    import pyarrow as pa
    import pyarrow.types as kinds

    if not kinds.is_dictionary(array.type):
        try:
            array = array.dictionary_encode()
        except pa.ArrowNotImplementedError:  # of lists, and of kinds that are rare or newer
            return np.arange(len(array), dtype=np.int32), [_value(one) for one in array]
    whole = array.unify_dictionaries().combine_chunks()
    if isinstance(whole, pa.ChunkedArray):
        if not whole.num_chunks:
            return np.zeros(0, dtype=np.int32), []
        whole = whole.chunk(0)
    values = [_value(one) for one in whole.dictionary]
    codes = whole.indices.cast(pa.int32()).fill_null(len(values)).to_numpy(zero_copy_only=False)
    return codes.astype(np.int32), [*values, None]


def _value(scalar: Any) -> Any:
    """Return a value as Python has it; of a number of 32 or 16 bits that, which has fewer digits."""
    import pyarrow.types as kinds

    value = scalar.as_py()
    if value is None or not (kinds.is_float32(scalar.type) or kinds.is_float16(scalar.type)):
        return value
    return np.float32(value) if kinds.is_float32(scalar.type) else np.float16(value)
