"""Random PNGs convert exactly; whatever a flipped, lost or added byte makes of an image, it is read right or refused."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from bulkdcm.errors import RowError
from bulkdcm.images import decoders
from tests.streams import OTHERS, frame_of
from tests.streams_jpeg import ARITHMETIC, DEEP, EXIF, PLAIN_GRAY, PROFILE, RGB_BY_ADOBE, YCC, inserted, jpeg, shown
from tests.streams_png_codec import CHANNELS, COLORS, KINDS, PALETTE, chunk, decode, encode, plte, png, seen

QUICK = settings(derandomize=True, deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])
FEWER = settings(QUICK, max_examples=150)
MAX_PIXELS = 1_000_000  # a changed header may ask for more memory than a test should take
GRAY = jpeg(np.tile(np.arange(0, 240, 10, dtype=np.uint8), (16, 1)))
SMALL_JPEGS = [GRAY, YCC, RGB_BY_ADOBE, inserted(YCC, PROFILE, EXIF[1]), DEEP, jpeg(np.eye(17, dtype=np.uint8) * 200, lossless=True, predictor=4)]  # fmt: skip
TURNED_JPEGS = [inserted(PLAIN_GRAY, EXIF[6]), inserted(YCC, EXIF[3]), *([ARITHMETIC] if decoders.release() else [])]
OTHER_FILES = [case.data for case in OTHERS if len(case.data) < 2000 and not case.refused]
SMALL_PNGS = [png(*kind, 9, 7, interlace=interlace)[0] for kind in KINDS for interlace in (False, True)]


@st.composite
def pngs(draw):
    """Return a PNG of any kind and size, opaque, with its pixels."""
    color_type, depth = draw(st.sampled_from(KINDS))
    rows, columns = draw(st.integers(1, 40)), draw(st.integers(1, 40))
    channels = CHANNELS[color_type]
    top = 2**depth - 1
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    samples = rng.integers(0, draw(st.integers(0, top)) + 1, (rows, columns, channels)).astype(np.uint16)
    if channels in {2, 4}:
        samples[:, :, -1] = top
    if channels >= 3 and draw(st.booleans()):
        samples[:, :, 1] = samples[:, :, 2] = samples[:, :, 0]
    before = plte(depth) if color_type == PALETTE else b""
    data = encode(samples, color_type, depth, interlace=draw(st.booleans()), before=before)
    return data, seen(color_type, depth, samples)[0]


@st.composite
def damaged(draw, originals):
    """Return one of the originals with up to four places flipped, overwritten, cut out, doubled or cut off."""
    data = bytearray(draw(st.sampled_from(originals)))
    for _ in range(draw(st.integers(1, 4))):
        at, size = draw(st.integers(0, len(data) - 1)), draw(st.integers(1, 6))
        match draw(st.sampled_from(["flip", "flip", "write", "lose", "insert", "double", "end"])):
            case "flip":
                data[at] ^= 1 << draw(st.integers(0, 7))
            case "write":
                data[at] = draw(st.sampled_from([0, 1, 0x7F, 0x80, 0xC0, 0xD8, 0xD9, 0xDA, 0xFF]))
            case "lose":
                del data[at : at + size]
            case "insert":
                data[at:at] = draw(st.binary(min_size=1, max_size=8))
            case "double":
                data[at:at] = data[at : at + 8 * size]
            case "end":
                del data[max(1, at) :]
        if not data:
            return b"\0"
    return bytes(data)


def read_or_refused(data, **options):
    """Return the frame, or None where it is refused; any other exception is a failure."""
    try:
        return frame_of(data, max_pixels=MAX_PIXELS, **options)
    except RowError:
        return None


def repaired(data):
    """Return the PNG with the checksum of every chunk made right."""
    at, parts = 8, [data[:8]]
    while at + 12 <= len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        if at + 12 + length > len(data):
            break
        parts.append(chunk(kind, data[at + 8 : at + 8 + length]))
        at += 12 + length
    return b"".join(parts) + data[at:]


def pixels_by_the_standard(data):
    """Return what our strict decoder sees, checksums aside."""
    color_type, depth, samples, chunks = decode(repaired(data))
    colors = np.frombuffer(chunks.get(b"PLTE", b""), np.uint8).reshape(-1, 3) if color_type == PALETTE else COLORS
    if color_type == PALETTE:
        assume(samples.max() < len(colors))  # refused, in test_png
    return seen(color_type, depth, samples, colors)[0]


@QUICK
@given(pngs())
def test_any_png_converts_exactly(case):
    data, pixels = case
    frame = frame_of(data)
    np.testing.assert_array_equal(frame.pixels, pixels)
    assert frame.pixels.dtype == pixels.dtype


@QUICK
@given(damaged(SMALL_PNGS))
def test_a_damaged_png_is_refused_or_exact(data):
    if frame := read_or_refused(data):
        np.testing.assert_array_equal(frame.pixels, pixels_by_the_standard(data))


@QUICK
@given(damaged(SMALL_PNGS))
def test_a_damaged_png_whose_checksums_are_right_is_refused_or_exact(data):
    if frame := read_or_refused(repaired(data)):
        np.testing.assert_array_equal(frame.pixels, pixels_by_the_standard(data))


def with_scanlines(original, change):
    """Return the PNG with its scanlines, before compression, changed; every chunk is whole."""
    at = original.index(b"IDAT") - 4
    length = int.from_bytes(original[at : at + 4], "big")
    lines = change(zlib.decompress(original[at + 8 : at + 8 + length]))
    return original[:at] + chunk(b"IDAT", zlib.compress(lines)) + original[at + 12 + length :]


@QUICK
@given(draw=st.data())
def test_a_png_of_damaged_scanlines_is_refused_or_exact(draw):
    kind, interlace = draw.draw(st.sampled_from(KINDS)), draw.draw(st.booleans())
    original, _ = png(*kind, 9, 7, interlace=interlace)
    data = with_scanlines(original, lambda lines: draw.draw(damaged([lines])))
    if frame := read_or_refused(data):
        np.testing.assert_array_equal(frame.pixels, pixels_by_the_standard(data))


@QUICK
@given(damaged(SMALL_JPEGS))
def test_a_damaged_jpeg_that_is_passed_through_means_the_same_without_its_metadata(data):
    frame = read_or_refused(data)
    if frame is None or not frame.streams:
        return
    again = frame_of(frame.streams[0])
    assert again.streams[0] == frame.streams[0]
    assert again.transfer_syntax_uid == frame.transfer_syntax_uid
    assert again.photometric_interpretation == frame.photometric_interpretation
    try:
        expected = shown(data)
    except Exception:  # noqa: BLE001  # a damaged scan passes unseen, and then is damaged in both
        return
    np.testing.assert_array_equal(shown(frame.streams[0]), expected)


@pytest.mark.parametrize("options", [{}, {"transfer_syntax": "explicit"}], ids=str)
@FEWER
@given(data=damaged(TURNED_JPEGS))
def test_a_damaged_jpeg_that_is_decoded_has_the_size_of_its_header_or_is_refused(options, data):
    if (frame := read_or_refused(data, **options)) and frame.pixels is not None:
        assert frame.pixels.shape[:2] == (frame.rows, frame.columns)
        assert frame.pixels.dtype == np.uint8


@QUICK
@given(damaged(OTHER_FILES))
def test_another_damaged_format_is_read_or_refused(data):
    if frame := read_or_refused(data):
        assert (not frame.streams) != (frame.pixels is None)


@FEWER
@given(
    st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"BM", b"II*\0", b"MM\0*", b"RIFF", b"GIF89a"]),
    st.binary(max_size=200),
)
def test_bytes_of_no_image_are_refused(head, tail):
    assert read_or_refused(head + tail + b"\0") is None
