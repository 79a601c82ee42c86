"""Transparency and equal channels: what becomes of pixels that have more samples than they need."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from bulkdcm.errors import PixelError

if TYPE_CHECKING:
    from bulkdcm.model import Pixels

OPAQUE = "alpha dropped: every pixel is opaque"
HIDING = "alpha dropped: it hides every pixel, so it is no transparency"
COLLAPSED = "gray collapsed: the channels are all equal"
_LUMA = (299, 587, 114)  # ITU-R BT.601, in thousandths


def flatten(pixels: Pixels, alpha: Pixels, background: str, source: str) -> tuple[Pixels, str]:
    """Return `pixels` without transparency, and what was decided.

    Parameters
    ----------
    pixels
        Shape ``(rows, columns)`` or ``(rows, columns, 3)``.
    alpha
        Shape ``(rows, columns)``, same dtype; the greatest value is opaque.
    background
        ``#rrggbb``, or empty to refuse transparent pixels.
    source
        For the message.

    Raises
    ------
    PixelError
        If a pixel is transparent and there is no background.

    Notes
    -----
    Some writers leave the fourth channel at 0, above all in BMP. An alpha that hides every pixel of a picture is not meant
    as transparency, so the picture is kept, whatever the background.
    """
    top = int(np.iinfo(alpha.dtype).max)
    if alpha.min() == top:
        return pixels, OPAQUE
    hidden = not alpha.max()
    if hidden and not _flat(pixels):
        return pixels, HIDING
    if hidden and not background:
        msg = (
            f"{source}: the alpha hides every pixel, and all have one colour beneath it: there is no picture in the file. "
            "Export the image again, without transparency."
        )
        raise PixelError(msg)
    if not background:
        count = int((alpha != top).sum())
        msg = (
            f"{source}: {count} pixels are transparent, and DICOM has no transparency. "
            "Give --background white (or black, #rrggbb) to lay them on, or flatten the image."
        )
        raise PixelError(msg)
    shades = [int(background[i : i + 2], 16) * (top // 255) for i in (1, 3, 5)]
    if pixels.ndim == 2 and len(set(shades)) > 1:
        pixels = np.repeat(pixels[:, :, None], 3, axis=2)  # a coloured background makes a gray image coloured
    back = np.array(shades[:1] if pixels.ndim == 2 else shades, dtype=np.uint64)
    weight = alpha.astype(np.uint64)
    if pixels.ndim == 3:
        weight = weight[:, :, None]
    blended = (pixels.astype(np.uint64) * weight + back * (top - weight) + top // 2) // top
    what = "the alpha hides every pixel: all of it" if hidden else "transparent pixels"
    return cast("Pixels", blended.astype(alpha.dtype)), f"{what} laid on {background}"


def _flat(pixels: Pixels) -> bool:
    """Return whether all pixels have one colour, so that there is no picture for an alpha to hide."""
    return bool((pixels == pixels[0, 0]).all())


def collapse(pixels: Pixels, tolerance: int = 0) -> tuple[Pixels, str]:
    """Return a colour image that is gray as gray, any other unchanged; and what was done to its values, if anything.

    Parameters
    ----------
    pixels
        Shape ``(rows, columns)`` or ``(rows, columns, 3)``.
    tolerance
        By how much the channels of one pixel may differ.
    """
    equal = _equal(pixels)
    if equal is not pixels or pixels.ndim == 2 or not tolerance:
        return equal, ""
    difference = int((pixels.max(axis=2) - pixels.min(axis=2)).max())
    if difference > tolerance:
        return pixels, ""
    weighted = pixels.astype(np.uint32) @ np.array(_LUMA, np.uint32)
    gray = ((weighted + 500) // 1000).astype(pixels.dtype)
    return gray, f"gray by Y = (299 R + 587 G + 114 B + 500) div 1000: the channels differ by up to {difference}"


def _equal(pixels: Pixels) -> Pixels:
    if pixels.ndim == 2:
        return pixels
    red = pixels[:, :, 0]
    # The middle row first: a colour image nearly always shows itself there, at a fraction of the cost.
    middle = pixels[len(pixels) // 2]
    if not (np.array_equal(middle[:, 0], middle[:, 1]) and np.array_equal(middle[:, 0], middle[:, 2])):
        return pixels
    if np.array_equal(red, pixels[:, :, 1]) and np.array_equal(red, pixels[:, :, 2]):
        return np.ascontiguousarray(red)
    return pixels
