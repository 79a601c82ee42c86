"""A BMP's header: whether its pixels and its colours are all there."""

from __future__ import annotations

import struct

from bulkdcm.errors import PixelError

_FILE, _CORE = 14, 12
_PALETTES = {1, 2, 4, 8}
_UNCOMPRESSED = {0, 3, 6}  # BI_RGB, BI_BITFIELDS, BI_ALPHABITFIELDS


def colors_of(data: bytes, source: str) -> int:
    """Return how many colours the palette has; 0 where there is none.

    Parameters
    ----------
    data
        The whole file.
    source
        For the message.

    Raises
    ------
    PixelError
        Where the header is cut off, or lines lack.
    """
    try:
        columns, rows, bits, compression, colors = _header(data)
    except struct.error:
        msg = f"{source}: the BMP can't be decoded: its header is cut off. Fetch the file again."
        raise PixelError(msg) from None
    (offset,) = struct.unpack_from("<I", data, 10)
    needed = offset + abs(rows) * ((columns * bits + 31) // 32 * 4) if compression in _UNCOMPRESSED else 0
    if len(data) < needed:
        msg = f"{source}: the BMP can't be decoded: {len(data)} of {needed} bytes are there. Fetch the file again."
        raise PixelError(msg)
    return (colors or 1 << bits) if bits in _PALETTES else 0


def _header(data: bytes) -> tuple[int, int, int, int, int]:
    """Return columns, rows (negative: from the top), bits a pixel, compression and number of colours."""
    (size,) = struct.unpack_from("<I", data, _FILE)
    if size == _CORE:
        columns, rows, _, bits = struct.unpack_from("<HHHH", data, _FILE + 4)
        return columns, rows, bits, 0, 0
    columns, rows, _, bits, compression, _, _, _, colors = struct.unpack_from("<iiHHIIiiI", data, _FILE + 4)
    return columns, rows, bits, compression, colors
