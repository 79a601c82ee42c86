"""The standard streams as commands need them: no name that can't be printed, and no full disk, ends a run in a traceback."""

from __future__ import annotations

import errno
import io
import os
import sys
import warnings
from typing import Any, TextIO

import click

from bulkdcm.errors import StorageError
from bulkdcm.printable import ERRORS, visible


class _Stream(io.FileIO):
    """A standard stream's descriptor; what can't be written is dropped.

    Parameters
    ----------
    descriptor
        1 or 2.
    told
        Whether a first failure is raised as StorageError. A reader that has gone, as ``| head``, has had enough and is none.
    """

    def __init__(self, descriptor: int, *, told: bool) -> None:
        super().__init__(descriptor, "wb", closefd=False)
        self._told = told
        self._dead = False

    def write(self, data: Any, /) -> int:
        """Write `data`, or drop it."""
        size = memoryview(data).nbytes
        if self._dead:
            return size
        try:
            return super().write(data)
        except OSError as error:
            self._dead = self._told  # a later line of the standard error may find room
            if not self._told or error.errno == errno.EPIPE:
                return size
            msg = (
                f"the standard output can't be written: {error.strerror}. What was finished is kept; "
                "send the output elsewhere, then run the same command again."
            )
            raise StorageError(msg) from error


def _safe(stream: TextIO | None, descriptor: int, *, told: bool) -> TextIO:
    if stream is None:  # closed by the caller: the next file to be opened, here or in a worker, would be taken for it
        nowhere = os.open(os.devnull, os.O_WRONLY)
        if nowhere == descriptor:
            os.set_inheritable(descriptor, True)  # noqa: FBT003  # takes no name
        else:
            os.dup2(nowhere, descriptor)
            os.close(nowhere)
    else:
        stream.flush()
        if sys.platform == "win32" and isinstance(stream, io.TextIOWrapper) and stream.isatty():
            stream.reconfigure(errors=ERRORS)  # a console takes text there, and bytes only of its own old encodings
            return stream
    return io.TextIOWrapper(
        io.BufferedWriter(_Stream(descriptor, told=told)),
        encoding=stream.encoding if stream else "utf-8",
        errors=ERRORS,
        line_buffering=not told or os.isatty(descriptor),
    )


def say(text: str, *, err: bool = False, prefix: str = "") -> None:
    """Print a line in which names, cells and values of others may stand; what acts on a terminal is shown instead.

    Parameters
    ----------
    text
        What to print.
    err
        Whether it goes to the standard error.
    prefix
        Printed before it as it is, colours too.
    """
    click.echo(f"{prefix}{visible(text)}", err=err)


def make_safe() -> None:
    """Replace the standard output and error of this process by ones that bear what people do to them.

    Warnings of libraries, which hold values as they stand in files, are dropped here and in workers, unless they're asked for.
    """
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
        os.environ["PYTHONWARNINGS"] = "ignore"
    sys.stdout = _safe(sys.stdout, 1, told=True)
    sys.stderr = _safe(sys.stderr, 2, told=False)
