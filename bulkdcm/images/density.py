"""Pixels that aren't square, by the densities that a file states (PS3.3 C.7.6.3): their height and width against each other."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from bulkdcm.images import exif

if TYPE_CHECKING:
    from bulkdcm.model import AspectRatio

_MOST = 2**31 - 1  # IS (PS3.5 6.2)


def aspect_ratio(across: float, down: float, orientation: int = 1) -> AspectRatio | None:
    """Return the ratio of a pixel's height to its width as two whole numbers; None if it is square, or isn't known.

    Parameters
    ----------
    across, down
        Pixels along a row and along a column for one length, whatever its unit.
    orientation
        EXIF orientation by which the pixels are turned.
    """
    if across == down or not (across > 0 and down > 0):
        return None
    try:
        ratio = Fraction(across) / Fraction(down)
    except (ValueError, OverflowError):  # infinite
        return None
    if orientation in exif.EXCHANGED:
        ratio = 1 / ratio
    if max(ratio.numerator, ratio.denominator) > _MOST:
        ratio = ratio.limit_denominator(65_535)
    return (ratio.numerator, ratio.denominator) if 0 < ratio.numerator <= _MOST and ratio != 1 else None


def of_png(physical: bytes) -> tuple[int, int]:
    """Return pixels across and down of a pHYs chunk (ISO/IEC 15948 11.3.4.3), whose unit may be none; 0 where there is none."""
    return int.from_bytes(physical[:4], "big"), int.from_bytes(physical[4:8], "big")


def of_jfif(payload: bytes) -> tuple[int, int]:
    """Return densities across and down of a JFIF segment's payload, whose unit may be none; 0 where there is none."""
    return int.from_bytes(payload[8:10], "big"), int.from_bytes(payload[10:12], "big")
