"""Pixels that aren't square, by the densities that a file states (PS3.3 C.7.6.3): their height and width against each other."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from PIL import Image

if TYPE_CHECKING:
    from bulkdcm.model import AspectRatio

_X_RESOLUTION, _Y_RESOLUTION = 0x011A, 0x011B
_MOST = 2**31 - 1  # IS (PS3.5 6.2)
_TURNED = range(5, 9)  # EXIF orientations that exchange rows and columns


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
    if orientation in _TURNED:
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


def of_exif(exif: bytes) -> tuple[float, float]:
    """Return XResolution and YResolution of an EXIF block; 0 where there is none."""
    if not exif:
        return 0.0, 0.0
    block = Image.Exif()
    try:
        block.load(exif)
        return float(block.get(_X_RESOLUTION, 0)), float(block.get(_Y_RESOLUTION, 0))
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001  # Pillow raises anything on a damaged block; it then says nothing of the density
        return 0.0, 0.0
