"""What pixels mean: how many of their bits are stored, whether a low value is dark (PS3.3 C.7.6.3.1.2), and their shape."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bulkdcm.attributes.terms import DARK_IS_LOW, LIGHT_IS_LOW
from bulkdcm.errors import AttributeValueError, PixelError
from bulkdcm.iods.window import windowed

if TYPE_CHECKING:
    from bulkdcm.model import IOD, Frame, ManifestRow
    from bulkdcm.setting_parts import PixelSettings

# By which Pixel Aspect Ratio is told already (PS3.3 C.7.6.3).
_SPACINGS = frozenset({"PixelAspectRatio", "PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing"})
_STATED = "PhotometricInterpretation"
_MOST_DESCRIBED = 1024  # characters of Derivation Description (ST, PS3.5 6.2)


def shown(iod: IOD, row: ManifestRow, frame: Frame, settings: PixelSettings) -> Frame:
    """Return a frame as viewers are to show it: its bits, its sense and its window.

    Parameters
    ----------
    iod, row
        What it goes into, and what is stated of it.
    frame
        That the SOP class can hold (see `build.check_frame`).
    settings
        Whether it is inverted, and which window it gets.

    Raises
    ------
    PixelError
        If a sense is stated of colour, or colour was to be inverted.
    """
    frame = _shaped(row, _in_its_sense(row, _fitted(iod, frame), settings))
    return windowed(iod, row, frame, settings.window)


def inverts(row: ManifestRow, settings: PixelSettings) -> bool:
    """Whether a row's pixels are inverted: unless it says that they are as they should be."""
    return settings.invert and row.attributes.get(_STATED) != DARK_IS_LOW


def _fitted(iod: IOD, frame: Frame) -> Frame:
    """Return a frame with as many bits stored as the SOP class asks for at least; its pixels are the same."""
    if frame.pixels is None or frame.bits_allocated == 8 or frame.bits_stored >= iod.least_deep_bits:
        return frame
    return replace(frame, bits_stored=iod.least_deep_bits)


def _shaped(row: ManifestRow, frame: Frame) -> Frame:
    """Return a frame whose pixels' shape is the file's, if the row doesn't tell it."""
    if not frame.aspect_ratio:
        return frame
    if _SPACINGS & row.attributes.keys():
        return replace(frame, aspect_ratio=None)
    height, width = frame.aspect_ratio
    said = f"pixels {height} high and {width} wide, by the file's density"
    return replace(frame, decisions=(*frame.decisions, said))


def _in_its_sense(row: ManifestRow, frame: Frame, settings: PixelSettings) -> Frame:
    stated = row.attributes.get(_STATED, "")
    if frame.samples_per_pixel > 1 and (stated or inverts(row, settings)):
        what = f"{_STATED} {stated}" if stated else "--invert"
        msg = f"{row.source}: {what} is for gray images, and this one is in colour. Leave it out for this row."
        raise PixelError(msg)
    if inverts(row, settings):
        assert frame.pixels is not None  # noqa: S101  # what is inverted is decoded
        top: Any = frame.pixels.dtype.type(2**frame.bits_stored - 1)
        said = f"inverted within {frame.bits_stored} bits"
        return replace(
            frame,
            pixels=top - frame.pixels,
            derivations=(*frame.derivations, said),
            decisions=(*frame.decisions, said),
        )
    if stated == LIGHT_IS_LOW:
        said = f"{LIGHT_IS_LOW}, as the row says"
        return replace(frame, photometric_interpretation=LIGHT_IS_LOW, decisions=(*frame.decisions, said))
    return frame


def derivation(row: ManifestRow, frame: Frame) -> str:
    """Return Derivation Description of a frame whose pixels aren't the source's (PS3.3 C.7.6.1): the row's, then what was done.

    Raises
    ------
    AttributeValueError
        If both are too long together.
    """
    text = "; ".join(part for part in (row.attributes.get("DerivationDescription", ""), *frame.derivations) if part)
    if len(text) > _MOST_DESCRIBED:
        msg = (
            f"{row.source}: DerivationDescription has {len(text)} characters with {frame.derivations[-1]!r}, which is more "
            f"than {_MOST_DESCRIBED} (PS3.5 6.2). Make the row's shorter."
        )
        raise AttributeValueError(msg)
    return text
