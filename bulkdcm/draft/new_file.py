"""A file that wasn't there: written whole or not at all, and in the place of nothing."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from bulkdcm import filesystem
from bulkdcm.errors import SettingsError
from bulkdcm.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@contextlib.contextmanager
def new_file(path: Path) -> Iterator[Callable[[str], Path]]:
    """Give a function that writes a text, over what it wrote before; at the block's end the file gets its name.

    The function returns where the text is for now. If the block ends in an error, nothing is left.

    Raises
    ------
    SettingsError
        If something has the name, or the file can't be written.
    """
    if os.path.lexists(path):
        raise _there_already(path)
    temporary = path.with_name(f".bulkdcm-{os.urandom(4).hex()}.tmp")

    def write(text: str) -> Path:
        try:
            with temporary.open("wb") as file:
                file.write(printable(text).encode("utf-8"))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise _not_written(path, error) from error
        return temporary

    try:
        yield write
        try:
            filesystem.rename_new(str(temporary), str(path))
        except FileExistsError as error:
            raise _there_already(path) from error
        except OSError as error:
            raise _not_written(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def write_new(path: Path, text: str) -> None:
    """Write a text to a file that isn't there yet.

    Raises
    ------
    SettingsError
        As `new_file`.
    """
    with new_file(path) as write:
        write(text)


def _there_already(path: Path) -> SettingsError:
    return SettingsError(f"--out {path}: there is a file already. Name another, or remove it.")


def _not_written(path: Path, error: OSError) -> SettingsError:
    return SettingsError(f"--out {path}: {error.strerror}. Name a file that can be written.")
