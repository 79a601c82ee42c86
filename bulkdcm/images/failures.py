"""What a decoder raises, told apart: a damaged file is the file's, a lack of memory or time is not."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING

import numpy as np

from bulkdcm.errors import PixelError

if TYPE_CHECKING:
    from collections.abc import Iterator

# Libraries name the object that they were given, with an address that is another in every run.
_OBJECT = re.compile(r"\s*<[\w.]+(?: object)? at 0x[0-9A-Fa-f]+>")
_PANIC = "PanicException"  # of a decoder in Rust, which is no Exception
_DECODERS_NEED = 6  # times the bytes of the pixels, at the most: coefficients and copies


def words(error: BaseException) -> str:
    """Return the message of an error, without what changes from run to run."""
    return _OBJECT.sub("", str(error)).strip().rstrip(".") or type(error).__name__


@contextlib.contextmanager
def decoding(what: str, remedy: str, size_bytes: int = 0) -> Iterator[None]:
    """Make a decoder's error in the block one of its file.

    Parameters
    ----------
    what
        Begins the message, as ``a.png: the PNG can't be decoded``.
    remedy
        Ends it.
    size_bytes
        Of the pixels; decoders in C don't say that memory was what they lacked, so it is asked for again.

    Raises
    ------
    PixelError
        If the decoder refuses the file.
    MemoryError
        If it may have been memory.
    """
    try:
        yield
    except (PixelError, MemoryError):
        raise
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != _PANIC:
            raise  # a time limit, Ctrl-C
        np.empty(_DECODERS_NEED * size_bytes, np.uint8)
        msg = f"{what}: {words(error)}. {remedy}"
        raise PixelError(msg) from error
