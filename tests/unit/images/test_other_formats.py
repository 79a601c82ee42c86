"""BMP, TIFF, WebP and GIF: exact where they can be read exactly, refused where not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import imagecodecs
import numpy as np
import pytest

from bulkdcm.errors import PixelError
from tests.streams import ICC, OTHERS, frame_of, params, saved, smooth

if TYPE_CHECKING:
    from tests.streams import Case

EXACT = [case for case in OTHERS if case.pixels is not None]
REFUSED = [case for case in OTHERS if case.refused]


@pytest.mark.parametrize("case", params(EXACT))
def test_every_pixel_is_the_one_stored(case: Case):
    frame = frame_of(case.data, **case.options)
    np.testing.assert_array_equal(frame.pixels, case.pixels, strict=True)
    assert (frame.rows, frame.columns) == case.pixels.shape[:2]
    assert frame.photometric_interpretation == ("MONOCHROME2" if case.pixels.ndim == 2 else "RGB")
    assert frame.bits_stored == case.pixels.dtype.itemsize * 8
    assert not frame.lossy
    assert case.says in "; ".join(frame.decisions)


@pytest.mark.parametrize("case", params(REFUSED))
def test_what_cannot_be_read_exactly_is_refused_with_the_reason(case: Case):
    with pytest.raises(PixelError, match=case.refused):
        frame_of(case.data, **case.options)


def test_a_lossy_webp_is_decoded_and_marked_as_lossy():
    (case,) = [case for case in OTHERS if case.name == "WebP lossy"]
    frame = frame_of(case.data)
    np.testing.assert_array_equal(frame.pixels, imagecodecs.webp_decode(case.data))
    assert np.abs(frame.pixels.astype(int) - case.decoded).max() < 25
    assert frame.lossy[0].ratio == pytest.approx(32 * 40 * 3 / len(case.data))


def test_a_lossy_webp_is_marked_as_lossy_however_long_its_colour_profile():
    long_profile = len(ICC + bytes(70_000)).to_bytes(4, "big") + ICC[4:] + bytes(70_000)
    frame = frame_of(saved(smooth(32, 40, 3), "WEBP", quality=80, icc_profile=long_profile))
    assert frame.lossy


def test_a_tiff_with_jpeg_inside_is_marked_as_lossy():
    frame = frame_of(saved(smooth(32, 40, 3), "TIFF", compression="jpeg"))
    assert frame.lossy[0].method == "ISO_10918_1"
    assert np.abs(frame.pixels.astype(int) - smooth(32, 40, 3)).max() < 25
