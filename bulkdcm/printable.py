r"""Text for people and files: what can't be shown, or would act on a terminal, is shown as a backslash escape instead."""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ERRORS = "bulkdcm-escapes"
"""Name of the handler, for `open`, `str.encode` and the standard streams."""

# Controls of both sets and DEL (terminals act on C1 too); line separators; what turns, hides or ends the direction of text
# (UAX 9), so that a name reads as another; invisible format characters, tags among them.
_ACTS = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff"
    "\U000e0000-\U000e007f]"
)
# What tables, bars and messages are drawn with, for consoles and files whose encoding lacks it.
_PLAIN = {"░": ".", "▒": "=", "▓": "%", "█": "#", "▚": "+", "━": "-", "…": "...", "→": "->", "\u00a0": " "}
_MARKS = frozenset("\u200c\u200d")  # joiners that scripts of India and Persia can't be written without


def _escaped(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that the system kept in a surrogate
        return f"\\x{code - 0xDC00:02x}"
    return repr(character)[1:-1] if code < 0xD800 else character.encode("ascii", "backslashreplace").decode()


def _escape(error: UnicodeError) -> tuple[str | bytes, int]:
    r"""Return a byte that the system kept in a surrogate as ``\xfc``, and what the encoding lacks as Python writes it."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(map(_lacking, lacking)), error.end


def _lacking(character: str) -> str:
    if "\ud800" <= character <= "\udfff":
        return _escaped(character)
    return _PLAIN.get(character) or character.encode("ascii", "backslashreplace").decode()


codecs.register_error(ERRORS, _escape)


def printable(text: str) -> str:
    """Return `text` as UTF-8 can hold it."""
    return text if text.isascii() else text.encode("utf-8", ERRORS).decode("utf-8")


def visible(text: str) -> str:
    r"""Return `text` as a terminal may have it: what would move, colour, hide or turn something is shown, as ``\x1b``."""
    if text.isprintable():  # also of all languages; only then is nothing to be looked for
        return text
    return _ACTS.sub(lambda match: match[0] if match[0] in _MARKS else _escaped(match[0]), text)


def counted(count: int, noun: str) -> str:
    """Return a number of things, as ``1 error`` or ``2,000 errors``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def some(things: Sequence[Any], most: int, form: Callable[[Any], str] = str) -> str:
    """Return the first of some things, each as `form` writes it, and how many more there are, as ``3, 5, 7 and 1,012 more``."""
    shown = ", ".join(map(form, things[:most]))
    return f"{shown} and {len(things) - most:,} more" if len(things) > most else shown
