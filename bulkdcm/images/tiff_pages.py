"""A TIFF's directories without its pixels: how many there are, and how large their images (TIFF 6.0, BigTIFF)."""

from __future__ import annotations

import struct
from typing import NamedTuple

from bulkdcm.errors import PixelError

_MOST_PAGES = 10_000
_WIDTH, _LENGTH = 256, 257
_SHORT, _LONG, _LONG8 = 3, 4, 16
_DECISIVE = {*range(256, 260), 262, 273, *range(277, 280), 284, 317, *range(320, 326), 339, 347}  # for the pixels


class _Form(NamedTuple):
    """How numbers are laid out in one file."""

    order: str
    offset: str
    entries: str
    entry: str
    first: int


def walk(data: bytes, source: str) -> list[tuple[int, int]]:
    """Return columns and rows of each page.

    Parameters
    ----------
    data
        The whole file.
    source
        For the message.

    Raises
    ------
    PixelError
        If a directory is cut off, comes twice, or is one too many.
    """
    order = "<" if data[:2] == b"II" else ">"
    big = data[2:4] in {b"+\0", b"\0+"}
    form = _Form(order, "Q", "Q", "HHQ", 8) if big else _Form(order, "I", "H", "HHI", 4)
    try:
        return _pages(data, form)
    except (struct.error, OverflowError):  # an offset of 64 bits may be more than any address
        msg = f"{source}: the image can't be decoded: a directory of the TIFF is cut off. Fetch the file again."
        raise PixelError(msg) from None
    except ValueError as error:
        msg = f"{source}: the image can't be decoded: {error}. Fetch the file again, or export it as PNG."
        raise PixelError(msg) from error


def _pages(data: bytes, form: _Form) -> list[tuple[int, int]]:
    (at,) = struct.unpack_from(form.order + form.offset, data, form.first)
    pages: list[tuple[int, int]] = []
    seen: set[int] = set()
    while at:
        if at in seen:
            msg = "a directory of the TIFF leads back to an earlier one"
            raise ValueError(msg)
        if len(seen) == _MOST_PAGES:
            msg = f"the TIFF has more than {_MOST_PAGES} directories"
            raise ValueError(msg)
        seen.add(at)
        size, at = _page(data, at, form)
        pages.append(size)
    if not pages:
        msg = "the TIFF has no directory"
        raise ValueError(msg)
    return pages


def _page(data: bytes, at: int, form: _Form) -> tuple[tuple[int, int], int]:
    """Return columns and rows of the directory at an offset, and where the next one is."""
    (count,) = struct.unpack_from(form.order + form.entries, data, at)
    at += struct.calcsize(form.order + form.entries)
    entry, value = struct.Struct(form.order + form.entry), struct.calcsize(form.order + form.offset)
    size = entry.size + value
    (after,) = struct.unpack_from(form.order + form.offset, data, at + count * size)
    found = {_WIDTH: 0, _LENGTH: 0}
    for place in range(at, at + count * size, size):
        tag, kind, values = entry.unpack_from(data, place)
        if not values and tag in _DECISIVE:
            msg = f"tag {tag} of the TIFF has no value"
            raise ValueError(msg)
        if tag in found:
            letter = {_SHORT: "H", _LONG: "I", _LONG8: "Q"}.get(kind)
            if letter is None:
                msg = f"tag {tag} of the TIFF is of type {kind}"
                raise ValueError(msg)
            (found[tag],) = struct.unpack_from(form.order + letter, data, place + entry.size)
    if not all(found.values()):
        msg = f"the TIFF has {found[_WIDTH]} columns and {found[_LENGTH]} rows"
        raise ValueError(msg)
    return (found[_WIDTH], found[_LENGTH]), after
