"""A GIF's blocks to its trailer (GIF89a), and its codes counted: whether each frame has all of its pixels."""

from __future__ import annotations

from dataclasses import dataclass, field

from bulkdcm.errors import PixelError

_EXTENSION, _CONTROL, _IMAGE, _TRAILER = 0x21, 0xF9, 0x2C, 0x3B
_LARGEST_CODE_BITS, _MOST_CODES = 12, 4096


@dataclass(slots=True, kw_only=True)
class Gif:
    """What a GIF holds.

    Attributes
    ----------
    columns, rows
        Of the screen, or of the frames where one goes beyond it.
    frames
        Left, top, columns and rows of each.
    clear
        The transparent colour of the frame that comes next, which needs no place in its palette; -1 for none.
    said
        What is to be known of a frame that isn't the screen.
    """

    columns: int
    rows: int
    frames: list[tuple[int, int, int, int]] = field(default_factory=list)
    clear: int = -1
    said: str = ""


def walk(data: bytes, source: str) -> Gif:
    """Return what a GIF holds.

    Parameters
    ----------
    data
        The whole file.
    source
        For the message.

    Raises
    ------
    PixelError
        If it is cut off, a block is none of GIF's, or pixels lack.
    """
    try:
        return _walk(data)
    except IndexError:
        msg = f"{source}: the GIF is cut off. Fetch the file again."
        raise PixelError(msg) from None
    except ValueError as error:
        msg = f"{source}: the GIF can't be decoded: {error}. Fetch the file again, or export it as PNG."
        raise PixelError(msg) from error


def _walk(data: bytes) -> Gif:
    columns, rows = _numbers(data, 6, 2)
    gif = Gif(columns=columns, rows=rows)
    flags = data[10]
    shared = 2 << (flags & 7) if flags & 0x80 else 0
    at = 13 + 3 * shared
    while (kind := data[at]) != _TRAILER:
        if kind == _EXTENSION:
            label = data[at + 1]
            content, at = _sub_blocks(data, at + 2)
            if label == _CONTROL:
                gif.clear = content[3] if content[0] & 1 else -1
        elif kind == _IMAGE:
            at = _frame(data, at + 1, gif, shared)
            gif.clear = -1
        else:
            msg = f"byte {at} should begin a block and is {kind:#04x}"
            raise ValueError(msg)
    if not gif.frames:
        msg = "it has no image"
        raise ValueError(msg)
    gif.said = _about(gif)
    gif.columns = max(gif.columns, *(left + across for left, _, across, _ in gif.frames), 0)
    gif.rows = max(gif.rows, *(top + down for _, top, _, down in gif.frames), 0)
    return gif


def _about(gif: Gif) -> str:
    for number, (left, top, columns, rows) in enumerate(gif.frames, start=1):
        if (left, top, columns, rows) != (0, 0, gif.columns, gif.rows):
            return f"frame {number} has {columns} x {rows} pixels at {left}, {top} of a screen of {gif.columns} x {gif.rows}"
    return ""


def _numbers(data: bytes, at: int, count: int) -> tuple[int, ...]:
    return tuple(data[place] | data[place + 1] << 8 for place in range(at, at + 2 * count, 2))


def _sub_blocks(data: bytes, at: int) -> tuple[bytes, int]:
    """Return the joined contents of sub-blocks, and where they end."""
    parts = []
    while size := data[at]:
        if at + size >= len(data):
            raise IndexError
        parts.append(data[at + 1 : at + 1 + size])
        at += 1 + size
    return b"".join(parts), at + 1


def _frame(data: bytes, at: int, gif: Gif, shared: int) -> int:
    left, top, columns, rows = _numbers(data, at, 4)
    flags = data[at + 8]
    colors = 2 << (flags & 7) if flags & 0x80 else 0
    number = len(gif.frames) + 1
    at += 9 + 3 * colors
    code_bits = data[at]
    coded, end = _sub_blocks(data, at + 1)
    if not columns or not rows or not 1 <= code_bits <= 8:
        msg = f"frame {number} has {columns} x {rows} pixels in codes of {code_bits} bits"
        raise ValueError(msg)
    found, highest = count_pixels(coded, code_bits, columns * rows, gif.clear)
    if found < columns * rows:
        msg = f"{found} of {columns * rows} pixels of frame {number} are there"
        raise ValueError(msg)
    if highest >= (colors or shared):
        msg = f"the palette of frame {number} has no colour {highest}"
        raise ValueError(msg)
    gif.frames.append((left, top, columns, rows))
    return end


def count_pixels(coded: bytes, code_bits: int, wanted: int, clear_color: int = -1) -> tuple[int, int]:
    """Return how many pixels LZW codes stand for, and the highest colour among them (GIF89a appendix F).

    Parameters
    ----------
    coded
        The contents of a frame's sub-blocks.
    code_bits
        Of a colour.
    wanted
        With so many, the rest isn't looked at.
    clear_color
        A colour that doesn't count.

    Raises
    ------
    ValueError
        If a code stands for nothing.
    """
    clear, end = 1 << code_bits, (1 << code_bits) + 1
    roots = [1] * clear + [0, 0]
    lengths, width, before = roots.copy(), code_bits + 1, 0
    bits = held = found = highest = 0
    for byte in coded:
        bits |= byte << held
        held += 8
        while held >= width:
            code = bits & (1 << width) - 1
            bits >>= width
            held -= width
            if code == clear:
                lengths, width, before = roots.copy(), code_bits + 1, 0
                continue
            if code == end or found >= wanted:
                return found, highest
            if code < clear and code != clear_color:
                highest = max(highest, code)
            known = len(lengths)
            if code < known:
                length = lengths[code]
            elif code == known and before:
                length = before + 1
            else:
                msg = f"a code means nothing after {found} pixels"
                raise ValueError(msg)
            if before and known < _MOST_CODES:
                lengths.append(before + 1)
                if known + 1 == 1 << width and width < _LARGEST_CODE_BITS:
                    width += 1
            found, before = found + length, length
    return found, highest
