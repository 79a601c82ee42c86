"""EXIF orientation, which every DICOM reader ignores, so the pixels themselves have to be turned."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Callable

    from bulkdcm.model import Pixels

_TAG = 0x0112
_NAMES = {
    2: "mirrored left to right",
    3: "rotated by 180 degrees",
    4: "mirrored top to bottom",
    5: "transposed",
    6: "rotated by 90 degrees clockwise",
    7: "transposed over the other diagonal",
    8: "rotated by 90 degrees counter-clockwise",
}


def orientation_of(exif: bytes) -> int:
    """Return the orientation 1-8 that an EXIF block (with or without its ``Exif`` header) states; 1 where it says nothing."""
    if not exif:
        return 1
    block = Image.Exif()
    try:
        block.load(exif)
        value = block.get(_TAG, 1)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001  # Pillow raises anything on a damaged block; it then says nothing of the orientation
        return 1
    return value if isinstance(value, int) and value in _NAMES else 1


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
