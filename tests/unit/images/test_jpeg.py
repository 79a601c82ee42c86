"""JPEG: the very bytes where DICOM has a place for them, decoded where not, refused where damaged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from bulkdcm.errors import PixelError
from tests.streams import frame_of, noise, params, saved
from tests.streams_jpeg import (
    ADOBE,
    APP14,
    DEEP,
    EXIF,
    GRAY,
    JFIF,
    JPEGS,
    LOSSLESS,
    LOSSLESS_SV1,
    METADATA,
    PLAIN_GRAY,
    RGB_BY_ADOBE,
    SOF0,
    SOF1,
    SOF3,
    SOS,
    YCC,
    inserted,
    joined,
    jpeg,
    rgb,
    segments,
    shown,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.streams import Case

PASSED, DECODED = [case for case in JPEGS if case.uid], [case for case in JPEGS if case.decoded is not None]


@pytest.mark.parametrize("case", params(PASSED))
def test_a_passed_stream_is_the_source_without_metadata_segments(case: Case):
    frame = frame_of(case.data, case.iod, **case.options)
    keep = {APP14} if case.interpretation == "RGB" else set()
    expected = [part for part in segments(case.data) if part[0] not in METADATA - keep]
    assert frame.pixels is None
    assert frame.streams[0] == joined(expected)


@pytest.mark.parametrize("case", params(PASSED))
def test_a_passed_stream_decodes_to_the_same_pixels_as_its_source(case: Case):
    frame = frame_of(case.data, case.iod, **case.options)
    np.testing.assert_array_equal(shown(frame.streams[0]), shown(case.data))
    assert shown(frame.streams[0]).shape[:2] == (frame.rows, frame.columns)


@pytest.mark.parametrize("case", params(PASSED))
def test_a_passed_stream_is_named_as_what_it_is(case: Case):
    frame = frame_of(case.data, case.iod, **case.options)
    assert (frame.transfer_syntax_uid, frame.photometric_interpretation) == (case.uid, case.interpretation)
    assert frame.samples_per_pixel == (1 if case.interpretation == "MONOCHROME2" else 3)
    assert [frame.bits_stored] == [part[4] for marker, part in segments(case.data) if marker in {SOF0, SOF1, SOF3}]
    assert frame.bits_allocated == (8 if shown(case.data).dtype == np.uint8 else 16)
    assert (not frame.lossy) == (case.uid in {LOSSLESS, LOSSLESS_SV1})
    assert frame.decisions[0] == "passed through"
    assert case.says in "; ".join(frame.decisions)


@pytest.mark.parametrize("case", params(DECODED))
def test_what_dicom_has_no_place_for_is_decoded_and_marked_as_lossy(case: Case):
    frame = frame_of(case.data, case.iod, **case.options)
    assert not frame.streams and not frame.transfer_syntax_uid
    assert frame.pixels.dtype == np.uint8 and frame.pixels.shape == case.decoded.shape
    assert (frame.rows, frame.columns) == case.decoded.shape[:2]
    assert np.abs(frame.pixels.astype(int) - case.decoded).max() <= 12
    assert frame.photometric_interpretation == ("MONOCHROME2" if case.decoded.ndim == 2 else "RGB")
    assert frame.lossy[0].method == "ISO_10918_1"
    assert case.says in "; ".join(frame.decisions)


@pytest.mark.parametrize("case", params([case for case in JPEGS if case.refused]))
def test_what_is_damaged_or_has_no_meaning_is_refused_with_the_reason(case: Case):
    with pytest.raises(PixelError, match=case.refused) as caught:
        frame_of(case.data, case.iod, **case.options)
    assert str(caught.value).startswith("a/image.bin: ")


@pytest.mark.parametrize("data", [PLAIN_GRAY, YCC, DEEP], ids=["gray", "YCbCr", "12 bits"])
def test_a_stream_cut_off_anywhere_is_refused(data: bytes):
    for size in range(1, len(data)):
        with pytest.raises(PixelError):
            frame_of(data[:size])


@pytest.mark.parametrize("fill", [1, 2, 5])
def test_fill_bytes_before_any_marker_change_nothing(fill: int):
    parts = segments(inserted(YCC, EXIF[1]))
    data = parts[0][1] + b"".join(b"\xff" * fill + part for _, part in parts[1:])
    assert segments(frame_of(data).streams[0]) == segments(frame_of(YCC).streams[0])


def test_fill_bytes_before_a_restart_marker_belong_to_the_scan():
    data = saved(GRAY, "JPEG", restart_marker_blocks=2).replace(b"\xff\xd0", b"\xff\xff\xd0")
    stream = frame_of(data).streams[0]
    assert stream.count(b"\xff\xff\xd0") > 1
    assert stream == b"\xff\xd8" + data[data.index(b"\xff\xdb") :]
    np.testing.assert_array_equal(shown(stream), shown(data))


def test_nothing_of_the_metadata_stays_in_the_stream():
    data = inserted(YCC, *[bytes([0xFF, marker, 0, 8]) + b"secret" for marker in sorted(METADATA)])
    data = inserted(data, b"\xff\xfe\0\x08secret", before=SOS)
    assert b"secret" not in frame_of(data).streams[0]


def test_jfif_beside_adobe_0_means_ycbcr_as_every_decoder_has_it():
    data = inserted(RGB_BY_ADOBE, JFIF)
    frame = frame_of(data)
    pixels = frame.pixels if not frame.streams else shown(frame.streams[0])
    np.testing.assert_array_equal(pixels, shown(data))


def test_adobe_2_on_three_components_is_ycbcr():
    assert frame_of(inserted(YCC, ADOBE[2])).photometric_interpretation == "YBR_FULL_422"


def test_the_ratio_is_that_of_the_image_not_of_the_bytes_after_it():
    alone = 29 * 37 * 3 / len(YCC)
    assert frame_of(YCC + bytes(100_000)).lossy[0].ratio == pytest.approx(alone, rel=0.05)


def _ending_early(data: bytes) -> bytes:
    return joined([(m, p[: len(p) * 9 // 10] if m == SOS else p) for m, p in segments(data)])


def _with_a_sector_of_zeros(data: bytes) -> bytes:
    (at,) = [data.index(part) + len(part) // 2 for marker, part in segments(data) if marker == SOS]
    return data[:at] + bytes(64) + data[at + 64 :]


# Flat first, then noise: of an uneven image no count of bytes tells that some are missing.
_UNEVEN = np.where(np.arange(64)[:, None] < 40, 99, noise(64, 80)).astype(np.uint8)
_CODINGS = {
    "gray": jpeg(_UNEVEN),
    "YCbCr": jpeg(np.dstack([_UNEVEN] * 3) // 2, subsampling="420"),
    "12 bits": jpeg(_UNEVEN.astype(np.uint16) * 16, bitspersample=12),
    "lossless of 8 bits": jpeg(_UNEVEN, lossless=True, predictor=1),
    "lossless of 16 bits": jpeg(_UNEVEN.astype(np.uint16) * 256, lossless=True, predictor=1, bitspersample=16),
    "lossless RGB": rgb(np.dstack([_UNEVEN, _UNEVEN // 2, _UNEVEN // 3]), lossless=True, predictor=1),
}


@pytest.mark.parametrize("harm", [_ending_early, _with_a_sector_of_zeros])
@pytest.mark.parametrize("coding", _CODINGS)
def test_what_only_decoding_finds_is_refused_where_streams_are_decoded(coding: str, harm: Callable[[bytes], bytes]):
    data = harm(_CODINGS[coding])
    frame = frame_of(data)
    assert frame.streams and "stream not decoded (--streams trust)" in frame.decisions
    with pytest.raises(PixelError, match="a scan is damaged, or ends early"):
        frame_of(data, streams="decode")


@pytest.mark.parametrize("harm", [_ending_early, _with_a_sector_of_zeros])
@pytest.mark.parametrize("progressive", [False, True])
def test_what_is_decoded_anyway_is_refused_where_a_decoder_warns(harm: Callable[[bytes], bytes], *, progressive: bool):
    data = saved(_UNEVEN, "JPEG", quality=95)
    data = _progressive(harm) if progressive else harm(data)
    with pytest.raises(PixelError, match="a scan is damaged, or ends early"):
        frame_of(data, transfer_syntax="explicit")


def _progressive(harm: Callable[[bytes], bytes]) -> bytes:
    """Return a progressive image with harm done to its longest scan."""
    parts = segments(saved(_UNEVEN, "JPEG", quality=95, progressive=True))
    longest = max((part for part in parts if part[0] == SOS), key=lambda part: len(part[1]))
    lonely = harm(joined([parts[0], longest, parts[-1]]))[2:-2]
    return joined([(m, lonely if p is longest[1] else p) for m, p in parts])


@pytest.mark.parametrize("case", params(PASSED))
def test_decoding_a_good_stream_changes_nothing_but_what_is_said(case: Case):
    trusted, decoded = (
        frame_of(case.data, case.iod, streams=streams, **case.options) for streams in ("trust", "decode")
    )
    assert decoded.streams == trusted.streams
    assert "stream decoded without a warning" in decoded.decisions


def test_a_component_without_its_scan_is_refused():
    data = bytearray(PLAIN_GRAY)
    data[data.index(b"\xff\xc0") + 10] = 9  # the component's name in the frame header, which no scan has
    with pytest.raises(PixelError, match="no scan of component 9"):
        frame_of(bytes(data))
