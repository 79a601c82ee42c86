"""What stands in the page as text: harmless characters only and, unless asked for, nobody's name, number or path."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from bulkdcm.printable import counted, visible
from bulkdcm.problem import cause, unnamed

if TYPE_CHECKING:
    from collections.abc import Iterable

# What may be a file's name, of this row or of another: any word with a slash, and any with an ending that images have.
_PATH = re.compile(
    r"\S*[/\\]\S*|[^\s,;:()]+\.(?:png|jpe?g|jfif|dcm|dicom|tiff?|bmp|gif|webp|csv|xlsx|toml)\b", re.IGNORECASE
)
_OWN_NAME = re.compile(r"^…(?:, frame …)?: ")
_SENTENCE = re.compile(r"(.+?[.?!)])\s+([A-Z`(].*)", re.DOTALL)
_MANY = "…[…, ]*…"
_UNITS = ("B", "kB", "MB", "GB")


def reason(message: str, names: Iterable[str | None], *, identifiers: bool) -> str:
    """Return why a row failed, as the page says it.

    Parameters
    ----------
    message
        Of the row.
    names
        Its source and output.
    identifiers
        Whether names, values and numbers may be in it.
    """
    if identifiers:
        return visible(message)
    return without_names(unnamed(message, names))


@lru_cache(maxsize=4096)
def without_names(told: str) -> str:
    """Return what messages share, without what may be the name of another file."""
    told = re.sub(_MANY, "…", _PATH.sub("…", told))
    return visible(_OWN_NAME.sub("", told))


def told(text: str) -> str:
    """Return a warning without the values of cells and the names of files."""
    return without_names(cause(text))


def parted(text: str) -> tuple[str, str]:
    """Return what is wrong, and what to do: the first sentence of a message, and the others."""
    found = _SENTENCE.fullmatch(text)
    return (found[1], found[2]) if found else (text, "")


def ending(source: str) -> str:
    """Return how a source's name ends, as ``png``; it says what the file is, and nothing of whom."""
    base, dot, end = source.rpartition(".")
    return end.lower() if dot and base and end.isalnum() and end.isascii() and len(end) <= 5 else ""  # as dicom


def count(number: int, noun: str = "") -> str:
    """Return a number of things, as ``1,234 rows``."""
    return counted(number, noun) if noun else f"{number:,}"


def dimensions(columns: object, rows: object) -> str:
    """Return a size in pixels, as 512 by 512."""
    return f"{columns} \u00d7 {rows}"


def share(part: float, whole: float) -> str:
    """Return a part in percent: never 100 % or 0 % of what isn't all or nothing."""
    if not whole or part in {0, whole}:
        return "100 %" if part and part == whole else "0 %"
    percent = 100 * part / whole
    if percent < 0.1 or percent > 99.9:
        return "< 0.1 %" if percent < 0.1 else "> 99.9 %"
    return f"{percent:.1f} %"


def size(number: float) -> str:
    """Return a number of bytes for people."""
    for unit in _UNITS:
        if number < 1000:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} TB"


def duration(seconds: float) -> str:
    """Return a time for people."""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:,.0f} ms"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
