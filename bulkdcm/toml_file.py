"""A TOML file that somebody else may have written, read without being run over by it."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

_PARTS = 20
_DEEP = re.compile(
    r"""(?:^|[\[{,])[ \t]*+(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){20}""", re.MULTILINE
)  # as many as `_PARTS`


def load(path: Path, most_bytes: int) -> dict[str, Any]:
    """Return what is in a TOML file.

    Parameters
    ----------
    path
        Of a regular file, or a link to one.
    most_bytes
        How large it may be.

    Raises
    ------
    ValueError
        If it can't be read, is too large, no UTF-8, or no TOML; says why, and if it can, in which line and column.
    """
    try:
        return tomllib.loads(_text(path, most_bytes))
    except OSError as error:
        raise ValueError(error.strerror or str(error)) from error
    except RecursionError as error:
        msg = "nested too deeply"
        raise ValueError(msg) from error


def _text(path: Path, most_bytes: int) -> str:
    if path.exists() and not path.is_file():
        msg = "not a regular file"
        raise ValueError(msg)
    with path.open("rb") as file:
        data = file.read(most_bytes + 1)
    if len(data) > most_bytes:
        msg = f"more than {most_bytes:,} bytes"
        raise ValueError(msg)
    text = data.decode("utf-8-sig")  # editors on Windows write a mark first
    if _DEEP.search(text):  # each part of such a key takes the parser longer than the one before
        msg = f"a key of more than {_PARTS} parts"
        raise ValueError(msg)
    return text
