"""What becomes of decoded pixels, written a second time: transparency, orientation, gray, inversion.

The rules are those of `images` and `iods.meaning`; the code is not, so that a fault of theirs shows.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np


class Unproven(Exception):  # noqa: N818  # nothing is wrong by it
    """What can't be decided here, with the reason."""


def keyed(pixels: Any, key: tuple[int, ...]) -> Any:
    """Return the opacity of pixels of which one colour is transparent."""
    same = pixels == key[0] if pixels.ndim == 2 else np.logical_and.reduce([pixels[..., n] == key[n] for n in range(3)])
    return np.where(same, 0, np.iinfo(pixels.dtype).max).astype(pixels.dtype)


def flattened(pixels: Any, opacity: Any, background: str) -> Any:
    """Return pixels without transparency.

    Parameters
    ----------
    pixels
        Shape ``(rows, columns)`` or ``(rows, columns, 3)``.
    opacity
        Shape ``(rows, columns)``; None for opaque pixels.
    background
        ``#rrggbb``, or empty.

    Raises
    ------
    Unproven
        If there are transparent pixels and nothing to lay them on.
    """
    if opacity is None:
        return pixels
    top = int(np.iinfo(pixels.dtype).max)
    if (opacity == top).all():
        return pixels
    flat = pixels.reshape(-1, pixels.shape[2] if pixels.ndim == 3 else 1)
    if not opacity.any() and not (flat == flat[0]).all():
        return pixels  # an alpha that hides a whole picture is none
    if not background:
        msg = "the source has transparent pixels, and no background is set"
        raise Unproven(msg)
    color = [int(background[at : at + 2], 16) * top // 255 for at in (1, 3, 5)]
    planes = [pixels[..., n] for n in range(3)] if pixels.ndim == 3 else [pixels] * (3 if len(set(color)) > 1 else 1)
    alpha = opacity.astype(np.int64)
    laid = [
        (plane.astype(np.int64) * alpha + shade * (top - alpha) + top // 2) // top
        for plane, shade in zip(planes, color, strict=False)
    ]
    return (laid[0] if len(laid) == 1 else np.dstack(laid)).astype(pixels.dtype)


def orientation_of(block: bytes) -> int:
    """Return the orientation that an EXIF block says, 1 if it says none (EXIF 2.32 4.6.2)."""
    block = block.removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(block[:2])
    try:
        if order is None:
            return 1
        (at,) = struct.unpack_from(f"{order}I", block, 4)
        (count,) = struct.unpack_from(f"{order}H", block, at)
        for number in range(count):
            tag, kind, values, value = struct.unpack_from(f"{order}HHIH", block, at + 2 + 12 * number)
            if tag == 0x0112 and kind == 3 and values == 1:
                return value if 1 <= value <= 8 else 1
    except struct.error:
        return 1
    return 1


def turned(pixels: Any, orientation: int) -> Any:
    """Return pixels upright; rows and columns are the first two axes."""
    if orientation in {5, 7}:
        pixels = np.swapaxes(pixels, 0, 1)
    turns = {3: 2, 6: -1, 7: 2, 8: 1}.get(orientation, 0)
    if turns:
        return np.rot90(pixels, turns)
    if orientation == 2:
        return np.fliplr(pixels)
    return np.flipud(pixels) if orientation == 4 else pixels


def is_gray(pixels: Any, tolerance: int) -> bool:
    """Whether the channels of every pixel differ by no more than `tolerance`."""
    if pixels.ndim == 2:
        return True
    wide = pixels.astype(np.int32)
    return all(int(np.abs(wide[..., a] - wide[..., b]).max()) <= tolerance for a, b in ((0, 1), (1, 2), (0, 2)))


def as_gray(pixels: Any) -> Any:
    """Return the luma of pixels, which is any channel of those that have three equal ones."""
    if pixels.ndim == 2:
        return pixels
    red, green, blue = (pixels[..., n].astype(np.int64) for n in range(3))
    return ((299 * red + 587 * green + 114 * blue + 500) // 1000).astype(pixels.dtype)


def as_color(pixels: Any) -> Any:
    """Return pixels with three channels."""
    return pixels if pixels.ndim == 3 else np.dstack([pixels] * 3)


def inverted(pixels: Any, bits_stored: int) -> Any:
    """Return pixels whose low values are the high ones of so many bits."""
    return (2**bits_stored - 1 - pixels.astype(np.int64)).astype(pixels.dtype)


def rgb_of_cmyk(ink: Any) -> Any:
    """Return the colours of inks without a profile: what black leaves, less its share of each."""
    left = 255 - ink[..., 3].astype(np.int64)
    product = left[..., None] * ink[..., :3].astype(np.int64)
    return (left[..., None] - (product * 2 + 255) // 510).clip(0, 255).astype(np.uint8)
