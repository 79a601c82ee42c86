"""Text for people and files: names whose bytes are no text are shown with backslash escapes instead of ending the run."""

from __future__ import annotations

import codecs
import re

ERRORS = "bulkdcm-escapes"
"""Name of the handler, for `open`, `str.encode` and the standard streams."""


# Those of ASCII and Latin-1, separators of lines, and what turns the direction of the text around it.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def _escape(error: UnicodeError) -> tuple[str | bytes, int]:
    r"""Return a byte that the system kept in a surrogate as ``\xfc``, and what the encoding lacks as Python writes it."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    parts = []
    for character in error.object[error.start : error.end]:
        code = ord(character)
        byte = 0xDC80 <= code <= 0xDCFF
        parts.append(f"\\x{code - 0xDC00:02x}" if byte else character.encode("ascii", "backslashreplace").decode())
    return "".join(parts), error.end


codecs.register_error(ERRORS, _escape)


def printable(text: str) -> str:
    """Return `text` as UTF-8 can hold it."""
    return text if text.isascii() else text.encode("utf-8", ERRORS).decode("utf-8")


def shown(text: str) -> str:
    r"""Return `text` for a terminal: control characters as escapes such as ``\x1b``, so that none takes effect."""
    return _CONTROLS.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), printable(text))
