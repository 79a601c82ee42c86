"""A WebP file's chunks (RFC 9649): whether the file is whole, and what is in it."""

from __future__ import annotations

from bulkdcm.errors import PixelError

_PIXELS = {b"VP8 ", b"VP8L", b"ANMF"}


def walk(data: bytes, source: str) -> list[bytes]:
    """Return the names of the chunks.

    Parameters
    ----------
    data
        The whole file, which begins with ``RIFF``.
    source
        For the message.

    Raises
    ------
    PixelError
        If it is no WebP, or cut off.
    """
    end = 8 + int.from_bytes(data[4:8], "little")
    if data[8:12] != b"WEBP":
        msg = f"{source}: not an image we read but a RIFF file of {data[8:12]!r}, such as a sound or a film; it can't be decoded."
        raise PixelError(msg)
    wrong = f"{len(data)} of {end} bytes are there" if end > len(data) else ""
    names, position = [], 12
    while position + 8 <= end and not wrong:
        name = data[position : position + 4]
        size = int.from_bytes(data[position + 4 : position + 8], "little")
        names.append(name)
        position += 8 + size
        if position > end:
            wrong = f"chunk {name!r} goes beyond the end"
        position += size % 2
    if not wrong and not _PIXELS.intersection(names):
        wrong = "it has no image"
    if wrong:
        msg = f"{source}: the WebP can't be decoded: {wrong}. Fetch the file again."
        raise PixelError(msg)
    return names
