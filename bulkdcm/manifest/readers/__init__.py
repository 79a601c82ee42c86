"""Tables to columns of text, whatever format they are in: the first reader that a file fits reads it."""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import shutil
import sys
import tempfile
from dataclasses import replace
from typing import IO, TYPE_CHECKING

from bulkdcm.errors import ManifestError
from bulkdcm.manifest import other_files
from bulkdcm.manifest.readers import columnar, delimited, json_lines, workbook
from bulkdcm.manifest.readers.base import STANDARD_INPUT, Form, Reader
from bulkdcm.settings import local_path

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bulkdcm.manifest.table import Manifest

__all__ = ["READERS", "Form", "Reader", "read_table"]

READERS = (
    Reader(workbook.fits, workbook.read),
    Reader(columnar.fits, columnar.read),
    Reader(json_lines.fits, json_lines.read),
    Reader(delimited.fits, delimited.read),
)
_HEAD_BYTES = 132
_given: list[tuple[object, IO[bytes]]] = []
"""What came from the standard input, which can be read once only: whose it was, and where it is kept."""


def read_table(path: Path, form: Form) -> Manifest:
    """Return a table as columns.

    Parameters
    ----------
    path
        A file; ``-`` for the standard input.
    form
        How it is written.

    Raises
    ------
    ManifestError
        If it can't be read.
    SettingsError
        If it is a URL, or needs a package that isn't installed.
    """
    path = local_path("the table", path)
    try:
        with _opened(path) as file:
            head = file.read(_HEAD_BYTES)
            other_files.refuse_content(path, head, file)
            file.seek(0)
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]  # files have readinto
            file.seek(0)
            reader = next(reader for reader in READERS if reader.fits(path.name, head))
            return replace(reader.read(path, file, form), sha256=sha256)
    except OSError as error:
        msg = f"{path}: {error.strerror or error}."
        raise ManifestError(msg) from error


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    if str(path) == STANDARD_INPUT:
        file = _standard_input()
        file.seek(0)
        yield file
        return
    other_files.refuse(path)
    with path.open("rb") as file:
        yield file


def _standard_input() -> IO[bytes]:
    """Return what the standard input holds, kept so that it can be read again."""
    if not _given or _given[0][0] is not sys.stdin:
        if sys.stdin is None or sys.stdin.isatty():
            msg = "-: nothing comes from the standard input. Pipe a table into it, or name a file."
            raise ManifestError(msg)
        kept = tempfile.TemporaryFile()  # noqa: SIM115  # until the process ends
        shutil.copyfileobj(sys.stdin.buffer, kept)
        for _, before in _given:
            before.close()
        _given[:] = [(sys.stdin, kept)]
        atexit.register(kept.close)
    return _given[0][1]
