"""EXIF orientation, which every DICOM reader ignores, so the pixels themselves have to be turned."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from bulkdcm.model import Pixels

_NAMES = {
    2: "mirrored left to right",
    3: "rotated by 180 degrees",
    4: "mirrored top to bottom",
    5: "transposed",
    6: "rotated by 90 degrees clockwise",
    7: "transposed over the other diagonal",
    8: "rotated by 90 degrees counter-clockwise",
}


_TURNS: dict[int, Callable[[Pixels], Pixels]] = {
    2: lambda p: p[:, ::-1],
    3: lambda p: p[::-1, ::-1],
    4: lambda p: p[::-1],
    5: lambda p: p.swapaxes(0, 1),
    6: lambda p: p.swapaxes(0, 1)[:, ::-1],
    7: lambda p: p.swapaxes(0, 1)[::-1, ::-1],
    8: lambda p: p.swapaxes(0, 1)[::-1],
}


def turn(pixels: Pixels, orientation: int) -> tuple[Pixels, str]:
    """Return `pixels` upright, and what was done (an empty string for nothing).

    Parameters
    ----------
    pixels
        Shape ``(rows, columns[, 3])``.
    orientation
        EXIF 2.32, tag 0x0112: 1 is upright.
    """
    turned = _TURNS.get(orientation)
    if turned is None:
        return pixels, ""
    return np.ascontiguousarray(turned(pixels)), words(orientation)


def words(orientation: int) -> str:
    """Return what is done to an image of an orientation from 2 to 8."""
    return f"{_NAMES[orientation]} (EXIF orientation {orientation})"
