"""Sizes checked before a pixel is decoded: a small file can ask for gigabytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from bulkdcm.errors import PixelError

if TYPE_CHECKING:
    from bulkdcm.setting_parts import PixelSettings

# Pillow's own limit would warn or raise at its own numbers; `check` is called before each decode, with the user's.
Image.MAX_IMAGE_PIXELS = None

_MAX_SIDE = 65535  # Rows and Columns are US (PS3.3 C.7.6.3)
_MAX_VALUE_BYTES = 2**32 - 2  # PS3.5 7.1.2
_COPIES = 2  # of the pixels, while a decoder is at work


def check(source: str, size: tuple[int, ...], samples: int, bits: int, settings: PixelSettings) -> None:
    """Refuse an image that is too large.

    Parameters
    ----------
    source
        For the message.
    size
        Rows and columns, as the file's header states them; and the number of frames where there are more.
    samples, bits
        Samples a pixel and bits a sample.
    settings
        `max_pixels` is its limit.

    Raises
    ------
    PixelError
        With the limit and how to raise it, where it can be raised.
    MemoryError
        If decoding it would take more than this process may have.
    """
    rows, columns, frames = (*size, 1)[:3]
    if max(rows, columns) > _MAX_SIDE:
        msg = f"{source}: {columns} x {rows} pixels; a side of more than {_MAX_SIDE} has no place in DICOM (PS3.3 C.7.6.3). Cut it into tiles."
        raise PixelError(msg)
    if rows * columns * frames > settings.max_pixels:
        msg = (
            f"{source}: {columns} x {rows}{f' x {frames}' if frames > 1 else ''} pixels are more than --max-pixels {settings.max_pixels}. "
            "If that is what it should be, raise --max-pixels."
        )
        raise PixelError(msg)
    size_bytes = rows * columns * frames * samples * (1 if bits <= 8 else 2)
    if size_bytes > _MAX_VALUE_BYTES:
        msg = f"{source}: {size_bytes} bytes of pixels are more than one element can hold (PS3.5 7.1.2). Cut it into tiles."
        raise PixelError(msg)
    # A decoder outside Python ends the process where memory is denied; asked here, it is a MemoryError.
    np.empty(_COPIES * size_bytes, np.uint8)
