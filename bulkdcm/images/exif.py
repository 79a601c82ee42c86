"""What an EXIF block says of an image's geometry: which side is up, and how dense its pixels are."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Mapping

ORIENTATION, X_RESOLUTION, Y_RESOLUTION = 0x0112, 0x011A, 0x011B
EXCHANGED = range(5, 9)
"""Orientations by which rows become columns."""
_ORIENTATIONS = range(1, 9)


class Geometry(NamedTuple):
    """Of an image.

    Attributes
    ----------
    orientation
        1 to 8 (EXIF 2.32, tag 0x0112): 1 is upright, or isn't said.
    across, down
        XResolution and YResolution, whatever their unit; 0 if they aren't said.
    """

    orientation: int = 1
    across: float = 0.0
    down: float = 0.0


@lru_cache(maxsize=4)
def geometry(block: bytes) -> Geometry:
    """Return what a block, with or without its ``Exif`` header, says; a damaged one says nothing."""
    if not block:
        return Geometry()
    exif = Image.Exif()
    try:
        exif.load(block)
        orientation = exif.get(ORIENTATION)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001  # Pillow raises anything on a damaged block
        return Geometry()
    if not isinstance(orientation, int) or orientation not in _ORIENTATIONS:
        orientation = 1
    return Geometry(orientation, *densities(exif))


def densities(tags: Mapping[int, Any]) -> tuple[float, float]:
    """Return XResolution and YResolution, which TIFF has too; 0 unless both are numbers."""
    try:
        return float(tags.get(X_RESOLUTION, 0)), float(tags.get(Y_RESOLUTION, 0))
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001  # as above, where a value is decoded
        return 0.0, 0.0
