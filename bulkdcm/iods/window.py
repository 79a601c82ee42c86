"""The window of the values that are there (PS3.3 C.11.2.1.2): without one viewers show 12 bits in 16 as black."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

from bulkdcm.model import Window

if TYPE_CHECKING:
    from bulkdcm.model import IOD, Frame, ManifestRow, Pixels

NONE, PERCENTILE = "none", "percentile"
_SAMPLE = 65_536  # pixels that tell whether few values take most of the range
_TOP_SHARE, _DARK = 0.005, 4
_DS_LENGTH = 16  # PS3.5 6.2


def windowed(iod: IOD, row: ManifestRow, frame: Frame, asked: str) -> Frame:
    """Return a frame with the window that its object gets, and what was decided about it.

    Parameters
    ----------
    iod
        Whether it has a VOI LUT.
    row
        Gives a window of its own, which stays, and a rescale, after which windows are counted.
    frame
        Gray of more than 8 bits gets one, and so does an image of exactly two values; all others are as bright as their
        source was, and one of a single value would become white in a window of width 1.
    asked
        As in `Settings.window`.
    """
    pixels = frame.pixels
    if asked == NONE or pixels is None or frame.samples_per_pixel > 1:
        return frame
    if {"WindowCenter", "WindowWidth", "VOILUTSequence"} & row.attributes.keys():
        return frame
    values = pixels.reshape(-1)
    if frame.bits_stored <= 8 and not _may_be_two(values):
        return frame
    lowest, highest = int(values.min()), int(values.max())
    if lowest == highest or (frame.bits_stored <= 8 and not ((values == lowest) | (values == highest)).all()):
        return frame
    found = f"the values present, {lowest} to {highest}"
    if not iod.voi_lut:
        said = f"no window: {iod.keyword} has none, and a viewer shows 0 to {2**frame.bits_stored - 1} for {found}"
        return replace(frame, decisions=(*frame.decisions, said))
    if asked.startswith(PERCENTILE):
        share = asked.partition(":")[2]
        first, last = _percentiles(values, float(share) / 100)
        if first < last:
            lowest, highest, found = first, last, f"{first} to {last}, {share} % of the pixels below and above"
    else:
        found += _about_the_top(values, lowest, highest)
    window = _window(row, lowest, highest)
    said = f"window {window.center}/{window.width} of {found}"
    return replace(frame, window=window, decisions=(*frame.decisions, said))


def _may_be_two(values: Pixels) -> bool:
    """Whether a few pixels have no more than two values: nearly every photograph is told by them."""
    return len(set(values[:: max(1, len(values) // 64)].tolist())) <= 2


def _percentiles(values: Pixels, share: float) -> tuple[int, int]:
    """Return the lowest and the highest value once a share of the pixels is left out at either end."""
    reached = np.bincount(values).cumsum()
    leave = int(len(values) * share)
    return int(np.searchsorted(reached, leave, side="right")), int(np.searchsorted(reached, len(values) - leave))


def _about_the_top(values: Pixels, lowest: int, highest: int) -> str:
    """Say that few pixels, such as letters burned in, take most of the range, so that the others come out dark."""
    some = values[:: max(1, len(values) // _SAMPLE)]
    _, most = _percentiles(some, _TOP_SHARE)
    if (most - lowest) * _DARK >= highest - lowest:
        return ""
    return f"; {100 * (1 - _TOP_SHARE):g} % of the pixels are up to {most}, which --window percentile:{100 * _TOP_SHARE:g} shows"


def _window(row: ManifestRow, lowest: int, highest: int) -> Window:
    """Return centre (x1 + x2 + 1) / 2 and width x2 - x1 + 1 after the rescale (PS3.3 C.11.2.1.2, Note 4)."""
    slope = Decimal(row.attributes.get("RescaleSlope") or 1)
    intercept = Decimal(row.attributes.get("RescaleIntercept") or 0)
    first, last = sorted((lowest * slope + intercept, highest * slope + intercept))
    return Window(_decimal((first + last + 1) / 2), _decimal(last - first + 1))


def _decimal(number: Decimal) -> str:
    text = f"{number.normalize():f}" if number else "0"
    return text if len(text) <= _DS_LENGTH else f"{number:.9e}"
