"""PNG of every colour type, depth and damage."""

from __future__ import annotations

from typing import TYPE_CHECKING

import imagecodecs
import numpy as np
import pytest

from bulkdcm.errors import PixelError
from bulkdcm.images import png_chunks
from tests.streams import frame_of, params
from tests.streams_png import PNGS
from tests.streams_png_codec import KINDS, png

if TYPE_CHECKING:
    from tests.streams import Case


@pytest.fixture(autouse=True, params=["as in the file", "stored"])
def _lines(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch):
    """Small images are decoded as they are, and larger ones with lines that are inflated already: both give the same."""
    if request.param == "stored":
        monkeypatch.setattr(png_chunks, "_LEAST_STORED_BYTES", 0)
        monkeypatch.setattr(png_chunks, "_MOST_A_BLOCK", 50)


@pytest.mark.parametrize("case", params([case for case in PNGS if case.pixels is not None]))
def test_every_pixel_is_the_one_stored(case: Case):
    frame = frame_of(case.data, **case.options)
    np.testing.assert_array_equal(frame.pixels, case.pixels)
    assert frame.pixels.dtype == case.pixels.dtype
    assert frame.pixels.flags.c_contiguous
    assert (frame.rows, frame.columns) == case.pixels.shape[:2]
    assert frame.bits_stored == frame.bits_allocated == case.pixels.dtype.itemsize * 8
    assert frame.photometric_interpretation == ("MONOCHROME2" if case.pixels.ndim == 2 else "RGB")
    assert frame.samples_per_pixel == (1 if case.pixels.ndim == 2 else 3)
    assert not frame.lossy and not frame.streams
    assert case.says in "; ".join(frame.decisions)


@pytest.mark.parametrize("case", params([case for case in PNGS if case.pixels is None]))
def test_a_png_that_cannot_be_had_exactly_is_refused_with_the_reason(case: Case):
    with pytest.raises(PixelError, match=case.refused) as caught:
        frame_of(case.data, **case.options)
    assert str(caught.value).startswith("a/image.bin: ")


@pytest.mark.parametrize("kind", [(3, 4), (2, 16)], ids=str)
def test_a_png_cut_off_anywhere_is_refused_as_cut_off(kind: tuple[int, int]):
    data, _ = png(*kind)
    for size in range(8, len(data)):
        with pytest.raises(PixelError, match="cut off"):
            frame_of(data[:size])


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_imagecodecs_sees_the_same_pixels(kind: tuple[int, int]):
    data, _ = png(*kind, 37, 41)
    theirs = imagecodecs.png_decode(data)
    opaque = theirs if theirs.ndim == 2 else theirs[:, :, 0] if theirs.shape[2] == 2 else theirs[:, :, :3]
    np.testing.assert_array_equal(frame_of(data).pixels, opaque)


def test_a_16_bit_sample_keeps_its_low_byte():
    data, pixels = png(6, 16, 20, 20)
    assert len(np.unique(pixels & 255)) > 200
    np.testing.assert_array_equal(frame_of(data).pixels & 255, pixels & 255)
