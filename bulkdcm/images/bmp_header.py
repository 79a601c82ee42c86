"""A BMP's header: whether its pixels and its colours are all there."""

from __future__ import annotations

import struct

import numpy as np

from bulkdcm.errors import PixelError

_FILE, _CORE = 14, 12
_PALETTES = {1, 2, 4, 8}
_RUNS, _JUMP = {1, 2}, 2  # BI_RLE8, BI_RLE4
_UNCOMPRESSED = {0, 3, 6}  # BI_RGB, BI_BITFIELDS, BI_ALPHABITFIELDS


def check(data: bytes, source: str) -> None:
    """Refuse a file whose pixels or colours aren't all there.

    Parameters
    ----------
    data
        The whole file.
    source
        For the message.

    Raises
    ------
    PixelError
        With what lacks.
    """
    try:
        columns, rows, bits, compression, stated_pixels, colors = _header(data)
    except struct.error:
        msg = f"{source}: the BMP can't be decoded: its header is cut off. Fetch the file again."
        raise PixelError(msg) from None
    size, (offset,) = struct.unpack_from("<I", data, _FILE)[0], struct.unpack_from("<I", data, 10)
    colors = (colors or 1 << bits) if bits in _PALETTES else 0
    (stated,) = struct.unpack_from("<I", data, 2)
    lines = abs(rows) * ((columns * bits + 31) // 32 * 4) if compression in _UNCOMPRESSED else 0
    needed = max(stated, offset + max(lines, stated_pixels))
    wrong = ""
    if len(data) < needed:
        wrong = f"{len(data)} of {needed} bytes are there"
    elif bits in _PALETTES and not 1 <= colors <= 1 << bits:
        wrong = f"its palette has {colors} colours for {bits} bits"
    elif _FILE + size + colors * (3 if size == _CORE else 4) > offset:
        wrong = f"its pixels begin at byte {offset}, inside its palette"
    elif bits in _PALETTES:
        wrong = _wrong_indices(data[offset:], (columns, abs(rows), bits), compression, colors)
    if wrong:
        msg = f"{source}: the BMP can't be decoded: {wrong}. Fetch the file again, or export it as PNG."
        raise PixelError(msg)


def _wrong_indices(coded: bytes, shape: tuple[int, int, int], compression: int, colors: int) -> str:
    """Return what is wrong with indices into a palette, or an empty string."""
    columns, rows, bits = shape
    if compression in _RUNS:
        found = _runs(coded, columns, rows, bits)
        if found is None:
            return "a run of pixels goes beyond its line, or lines lack"
    elif compression == 0 and colors < 1 << bits:
        line = (columns * bits + 31) // 32 * 4
        packed = np.frombuffer(coded, np.uint8, rows * line).reshape(rows, line)
        indices = np.unpackbits(packed, axis=1)[:, : columns * bits].reshape(rows, columns, bits)
        found = int((indices @ (1 << np.arange(bits)[::-1])).max(initial=0))
    else:
        return ""
    return f"its palette has no colour {found}" if found >= colors else ""


def _runs(coded: bytes, columns: int, rows: int, bits: int) -> int | None:
    """Return the highest index of runs (BI_RLE8, BI_RLE4); None where they leave their line, or come to no end."""
    x = y = at = highest = 0
    while at + 1 < len(coded):
        count, value = coded[at], coded[at + 1]
        at += 2
        if count:
            x += count
            highest = max(highest, _index(value, bits))
        elif value == 0:
            x, y = 0, y + 1
        elif value == 1:
            return highest if y >= rows - 1 else None
        elif value == _JUMP:
            return None  # it leaves pixels without a colour
        else:
            x += value
            literal = coded[at : at + (value * bits + 7) // 8]
            highest = max([highest, *(_index(byte, bits) for byte in literal)])
            at += (value * bits + 15) // 16 * 2
        if x > columns or y > rows or (x and y == rows):
            return None
    return None


def _index(byte: int, bits: int) -> int:
    return byte if bits == 8 else max(byte >> 4, byte & 15)


def _header(data: bytes) -> tuple[int, ...]:
    """Return columns, rows (negative: from the top), bits a pixel, compression, bytes of pixels and number of colours."""
    (size,) = struct.unpack_from("<I", data, _FILE)
    if size == _CORE:
        columns, rows, _, bits = struct.unpack_from("<HHHH", data, _FILE + 4)
        return columns, rows, bits, 0, 0, 0
    columns, rows, _, bits, compression, size_bytes, _, _, colors = struct.unpack_from("<iiHHIIiiI", data, _FILE + 4)
    return columns, rows, bits, compression, size_bytes, colors
