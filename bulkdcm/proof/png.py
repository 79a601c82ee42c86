"""A PNG decoder of our own (ISO/IEC 15948), for what only one library reads exactly: it shares no code with the converter's.

It is slow where lines are predicted from their neighbours, and used for those kinds of PNG alone.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    Bytes = npt.NDArray[np.uint8]

GRAY, RGB, PALETTE, GRAY_ALPHA, RGB_ALPHA = 0, 2, 3, 4, 6
_CHANNELS = {GRAY: 1, RGB: 3, PALETTE: 1, GRAY_ALPHA: 2, RGB_ALPHA: 4}
# First column, first row and steps of each pass.
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_WHOLE = ((0, 0, 1, 1),)


class Parts(NamedTuple):
    """A PNG's header and chunks.

    Attributes
    ----------
    rows, columns, depth, color_type, interlaced
        As its header says.
    chunks
        The first of each kind; of ``IDAT`` all together.
    """

    rows: int
    columns: int
    depth: int
    color_type: int
    interlaced: bool
    chunks: dict[bytes, bytes]


def parts(data: bytes) -> Parts:
    """Return the header and the chunks of a PNG.

    Raises
    ------
    ValueError
        If it has no header.
    """
    chunks: dict[bytes, bytes] = {}
    pixels = []
    for kind, payload in _chunks(data):
        if kind == b"IDAT":
            pixels.append(payload)
        else:
            chunks.setdefault(kind, payload)
    if len(chunks.get(b"IHDR", b"")) != 13:
        msg = "a PNG without its header"
        raise ValueError(msg)
    columns, rows, depth, color_type, _, _, interlaced = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    chunks[b"IDAT"] = b"".join(pixels)
    return Parts(rows, columns, depth, color_type, bool(interlaced), chunks)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 8
    while at + 12 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        yield kind, data[at + 8 : at + 8 + size]
        if kind == b"IEND":
            return
        at += 12 + size


def samples(png: Parts) -> Any:
    """Return the samples as they stand in the file: shape ``(rows, columns, channels)``, dtype uint8 or uint16.

    Raises
    ------
    ValueError
        If lines are missing, or filtered in a way that isn't the Standard's.
    """
    channels = _CHANNELS[png.color_type]
    lines = zlib.decompressobj().decompress(png.chunks[b"IDAT"])
    found = np.zeros((png.rows, png.columns, channels), np.uint16 if png.depth == 16 else np.uint8)
    step = max(1, channels * png.depth // 8)
    at = 0
    for first_column, first_row, across, down in _ADAM7 if png.interlaced else _WHOLE:
        place = found[first_row::down, first_column::across]
        if not place.size:
            continue
        width = -(-place.shape[1] * channels * png.depth // 8)
        size = place.shape[0] * (width + 1)
        if at + size > len(lines):
            msg = "lines of the PNG are missing"
            raise ValueError(msg)
        filtered = np.frombuffer(lines, np.uint8, size, at).reshape(place.shape[0], width + 1)
        place[...] = _unpacked(_unfiltered(filtered, step), place.shape, png.depth)
        at += size
    return found


def _unpacked(lines: Bytes, shape: tuple[int, ...], depth: int) -> Any:
    if depth == 16:
        return (lines[:, 0::2].astype(np.uint16) << 8 | lines[:, 1::2]).reshape(shape)
    if depth == 8:
        return lines.reshape(shape)
    per_byte = 8 // depth
    spread = np.stack([lines >> (8 - depth * (n + 1)) & (2**depth - 1) for n in range(per_byte)], axis=-1)
    return spread.reshape(shape[0], -1)[:, : shape[1] * shape[2]].reshape(shape)


def _unfiltered(filtered: Bytes, step: int) -> Bytes:
    """Return lines without their filters (ISO/IEC 15948 9)."""
    lines = np.zeros((filtered.shape[0], filtered.shape[1] - 1), np.uint8)
    above = np.zeros(lines.shape[1], np.uint8)
    for number, line in enumerate(filtered):
        lines[number] = above = _line(int(line[0]), line[1:], above, step)
    return lines


def _line(kind: int, line: Bytes, above: Bytes, step: int) -> Bytes:
    if kind == 0:
        return line
    if kind == 1:  # sums that wrap, of every channel's bytes
        whole = -(-len(line) // step) * step
        padded = np.zeros(whole, np.uint8)
        padded[: len(line)] = line
        return np.cumsum(padded.reshape(-1, step), axis=0, dtype=np.uint8).reshape(-1)[: len(line)]
    if kind == 2:
        return line + above
    if kind in {3, 4}:
        return _from_neighbours(kind, line.tolist(), above.tolist(), step)
    msg = f"a line of the PNG has filter {kind}, which there is none"
    raise ValueError(msg)


def _from_neighbours(kind: int, line: list[int], above: list[int], step: int) -> Bytes:
    found = [0] * len(line)
    for at, value in enumerate(line):
        left = found[at - step] if at >= step else 0
        up = above[at]
        if kind == 3:
            guess = (left + up) >> 1
        else:
            corner = above[at - step] if at >= step else 0
            by_left, by_up, by_corner = abs(up - corner), abs(left - corner), abs(left + up - 2 * corner)
            guess = left if by_left <= by_up and by_left <= by_corner else (up if by_up <= by_corner else corner)
        found[at] = (value + guess) & 255
    return np.array(found, np.uint8)
