"""Decoded pixels to a frame: turned upright, gray where all channels are equal, with the profile that still describes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bulkdcm.images import alpha, density, icc, orientation
from bulkdcm.model import Frame

if TYPE_CHECKING:
    from bulkdcm.model import Lossy, Pixels
    from bulkdcm.setting_parts import PixelSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFacts:
    """What a file says beside its pixels.

    Attributes
    ----------
    orientation
        EXIF orientation, 1 to 8.
    icc_profile
        As embedded; empty where there is none, or where it doesn't describe the pixels any more.
    lossy
        The compression that the pixels went through.
    across, down
        Densities that tell whether its pixels are square; 0 if it has none.
    bits
        How many bits of a sample it says to have; 0 if it doesn't say.
    """

    orientation: int = 1
    icc_profile: bytes = b""
    lossy: tuple[Lossy, ...] = ()
    across: float = 0
    down: float = 0
    bits: int = 0


def frame_of(pixels: Pixels, facts: FileFacts, settings: PixelSettings, said: tuple[str, ...]) -> Frame:
    """Return the frame of decoded pixels.

    Parameters
    ----------
    pixels
        Shape ``(rows, columns)`` or ``(rows, columns, 3)``, dtype uint8 or uint16.
    facts
        Of the file.
    settings
        Whether gray-looking colour is kept.
    said
        What was decided before.
    """
    pixels, turned = orientation.turn(pixels, facts.orientation)
    gray, weighted = (pixels, "") if settings.keep_color else alpha.collapse(pixels, settings.gray_tolerance)
    carried = icc.input_profile(facts.icc_profile)
    if gray.ndim == 2 and facts.icc_profile:
        carried = icc.Carried(said=icc.GRAY)
    collapsed = weighted or (alpha.COLLAPSED if gray.ndim < pixels.ndim else "")
    return Frame(
        rows=gray.shape[0],
        columns=gray.shape[1],
        samples_per_pixel=1 if gray.ndim == 2 else 3,
        bits_stored=_bits_stored(gray, facts.bits),
        photometric_interpretation="MONOCHROME2" if gray.ndim == 2 else "RGB",
        pixels=gray,
        lossy=facts.lossy,
        icc_profile=carried.profile,
        color_space=carried.color_space,
        aspect_ratio=density.aspect_ratio(facts.across, facts.down, facts.orientation),
        derivations=(weighted,) if weighted else (),
        decisions=tuple(part for part in (*said, turned, collapsed, carried.said) if part),
    )


def _bits_stored(pixels: Pixels, declared: int) -> int:
    """Return what the file declares of deep gray if every value keeps to it, else all that are allocated."""
    if pixels.dtype == np.uint8:
        return 8
    return declared if pixels.ndim == 2 and 8 < declared < 16 and int(pixels.max()) < 2**declared else 16
