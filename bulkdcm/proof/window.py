"""The window that follows from pixels (PS3.3 C.11.2.1.2 Note 4), computed a second time and another way."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bulkdcm.model import ManifestRow

_GIVEN = ("WindowCenter", "WindowWidth", "VOILUTSequence")


def window_of(row: ManifestRow, frames: Sequence[Any], bits_stored: int, asked: str) -> tuple[str, str] | None:
    """Return centre and width as texts; None if none follows.

    Parameters
    ----------
    row
        Gives a window of its own, or a rescale.
    frames
        As stored.
    bits_stored
        Of them; images of 8 bits get a window only if they have two values.
    asked
        As in `Settings.window`.
    """
    if asked == "none" or frames[0].ndim == 3 or any(name in row.attributes for name in _GIVEN):
        return None
    values = np.concatenate([frame.reshape(-1) for frame in frames]) if len(frames) > 1 else frames[0].reshape(-1)
    low, high = int(values.min()), int(values.max())
    if low == high or (bits_stored <= 8 and int(((values == low) | (values == high)).sum()) != len(values)):
        return None
    if asked != "present":
        share = float(asked.partition(":")[2]) / 100
        left_out = int(len(values) * share)
        ordered = np.partition(values, (left_out, len(values) - left_out - 1))
        first, last = int(ordered[left_out]), int(ordered[len(values) - left_out - 1])
        low, high = (first, last) if first < last else (low, high)
    slope, intercept = (
        Fraction(row.attributes.get(name) or usual)
        for name, usual in (("RescaleSlope", "1"), ("RescaleIntercept", "0"))
    )
    ends = sorted((low * slope + intercept, high * slope + intercept))
    return str(float((ends[0] + ends[1] + 1) / 2)), str(float(ends[1] - ends[0] + 1))
