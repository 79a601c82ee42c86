"""Orientation, transparency, equal channels and colour profiles, each by itself."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from bulkdcm.errors import PixelError
from bulkdcm.images import alpha, icc
from bulkdcm.images.exif import geometry
from bulkdcm.images.orientation import turn
from tests.streams import ICC, exif, frame_of, noise, upright
from tests.streams_jpeg import COLOR, EXIF, PLAIN_GRAY, YCC, inserted, segment
from tests.streams_png_codec import GRAY_ALPHA, RGB_ALPHA, chunk, encode, png

SHAPES = [(1, 1), (1, 5), (5, 1), (4, 7), (4, 7, 3)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("value", range(1, 9))
def test_pixels_are_turned_upright(value, shape):
    pixels = noise(*shape)
    turned, said = turn(pixels, value)
    np.testing.assert_array_equal(turned, upright(pixels, value), strict=True)
    assert turned.flags.c_contiguous
    assert bool(said) == (value > 1) and (value == 1 or f"EXIF orientation {value}" in said)


@pytest.mark.parametrize("value", range(2, 9))
def test_pillow_turns_the_same_way(value):
    picture = Image.fromarray(COLOR)
    picture.getexif()[0x0112] = value
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", exif=picture.getexif())
    data = buffer.getvalue()
    from_pillow = picture.transpose(
        {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}[
            value
        ]  # Image.Transpose: 6 turns clockwise, Pillow counts the other way
    )
    np.testing.assert_array_equal(frame_of(data).pixels, np.asarray(from_pillow))


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("head", [b"", b"Exif\0\0"], ids=["bare", "with its head"])
@pytest.mark.parametrize("value", range(1, 9))
def test_orientation_is_read_in_both_byte_orders(value, head, order):
    assert geometry(head + exif(value, order)).orientation == value


@pytest.mark.parametrize("value", [0, 9, 255, 256, 65535])
def test_an_orientation_that_does_not_exist_is_none(value):
    assert geometry(exif(value)).orientation == 1


@pytest.mark.parametrize("size", range(len(exif(6))))
def test_exif_cut_off_or_flipped_never_raises(size):
    block = exif(6)
    assert geometry(block[:size]).orientation in range(1, 9)
    for bit in range(8):
        flipped = bytearray(block)
        flipped[size] ^= 1 << bit
        assert geometry(bytes(flipped)).orientation in range(1, 9)


def test_the_first_of_two_exif_blocks_counts():
    frame = frame_of(inserted(PLAIN_GRAY, EXIF[6], EXIF[3]))
    assert (frame.rows, frame.columns) == (37, 29)


@pytest.mark.parametrize("top", [255, 65535])
@pytest.mark.parametrize("background", ["black", "white", "#808080"])
def test_transparent_gray_is_laid_on_the_background_as_the_formula_says(background, top):
    samples = noise(16, 16, 2, top=top)
    shade = {"black": 0, "white": 255, "#808080": 128}[background] * (top // 255)
    frame = frame_of(encode(samples, GRAY_ALPHA, top.bit_length()), background=background)
    over = (samples[:, :, 0].astype(object) * samples[:, :, 1] + (top - samples[:, :, 1].astype(object)) * shade) / top
    assert np.abs(frame.pixels - over.astype(float)).max() <= 0.5


@pytest.mark.parametrize("depth", [8, 16])
def test_transparent_colour_is_laid_on_each_channel_of_the_background(depth):
    top = 2**depth - 1
    samples = noise(16, 16, 4, top=top)
    frame = frame_of(encode(samples, RGB_ALPHA, depth), background="#ff8000")
    weight = samples[:, :, 3:].astype(float) / top
    over = samples[:, :, :3] * weight + (1 - weight) * np.array([255, 128, 0]) * (top // 255)
    assert np.abs(frame.pixels - over).max() <= 0.501
    assert "transparent pixels laid on #ff8000" in frame.decisions


def test_a_coloured_background_makes_a_transparent_gray_image_coloured():
    samples = np.zeros((2, 2, 2), np.uint16)
    samples[0] = 200, 255
    frame = frame_of(encode(samples, GRAY_ALPHA, 8), background="#ff0000")
    np.testing.assert_array_equal(frame.pixels[:, 0], [[200, 200, 200], [255, 0, 0]])


def test_the_number_of_transparent_pixels_is_said():
    samples = np.full((9, 9, 2), 255, np.uint16)
    samples[2:4, 3, 1] = 254, 0
    with pytest.raises(PixelError, match=r"image\.bin: 2 pixels are transparent.*--background"):
        frame_of(encode(samples, GRAY_ALPHA, 8))


@pytest.mark.parametrize("where", [(0, 0, 0), (4, 4, 1), (8, 8, 2), (4, 0, 2), (0, 8, 1)], ids=str)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_one_sample_that_differs_keeps_an_image_in_colour(where, dtype):
    pixels = np.repeat(noise(9, 9, 1).astype(dtype), 3, axis=2)
    assert alpha.collapse(pixels)[0].shape == (9, 9)
    pixels[where] ^= 1
    assert alpha.collapse(pixels)[0] is pixels


def changed(profile: bytes, at: int, value: bytes) -> bytes:
    return profile[:at] + value + profile[at + len(value) :]


def test_a_display_profile_is_carried_as_an_input_profile_with_nothing_else_changed():
    kept, said, _ = icc.input_profile(ICC)
    assert kept == changed(changed(ICC, 12, b"scnr"), 84, bytes(16))
    assert "changed to scnr" in said
    opened = ImageCms.ImageCmsProfile(io.BytesIO(kept)).profile
    assert (opened.device_class, opened.xcolor_space) == ("scnr", "RGB ")


@pytest.mark.parametrize(
    ("profile", "said"),
    [
        (b"", ""),
        (ICC[:100], "damaged"),
        (ICC[:-1], "damaged"),
        (changed(ICC, 36, b"junk"), "damaged"),
        (changed(ICC, 16, b"GRAY"), "for GRAY"),
        (changed(ICC, 16, b"CMYK"), "for CMYK"),
        (changed(ICC, 12, b"prtr"), "prtr"),
        (changed(ICC, ICC.index(b"rTRC"), b"A2B0"), "mntr"),
    ],
    ids=["none", "a head", "cut off", "no signature", "gray", "CMYK", "printer", "no curves"],
)
def test_other_profiles_are_left_out_and_it_is_said(profile, said):
    kept, about, _ = icc.input_profile(profile)
    assert kept == b"" and said in about


PARA = ICC.index(b"para")
"""Of lcms's sRGB: a function of type 3, whose numbers begin 12 bytes on with gamma, a and b."""


@pytest.mark.parametrize(
    "profile",
    [
        changed(ICC, 128, b"\xff\xff\xff\xff"),
        changed(ICC[:132], 0, (132).to_bytes(4, "big")),
        changed(ICC, PARA + 12, b"\x80\0\0\0" + bytes(8)),
        changed(ICC, PARA + 12, b"\x7f\xff\0\0" * 2),
        changed(ICC, PARA + 12, b"\0\2\x66\x66\x80\0\0\0"),
        changed(ICC, PARA + 8, b"\0\0\0\0\x80\0\0\0"),
        changed(ICC, PARA, b"curv\0\0\0\0\xff\xff\xff\xff"),
        changed(ICC, PARA, b"curv\0\0\0\0\0\0\0\0"),
    ],
    ids=[
        "endless tags",
        "no tags",
        "zero to less than 0",
        "too large",
        "of less than 0",
        "too small",
        "endless",
        "straight",
    ],
)
def test_numbers_that_make_no_sense_are_no_known_color_space(profile):
    scanner = changed(profile, 12, b"scnr")
    wanted = "SRGB" if profile[128:132] == b"\xff" * 4 else ""
    assert icc.input_profile(scanner) == (scanner, "ICC profile carried", wanted)


def test_an_input_profile_is_carried_unchanged_without_what_follows_it():
    scanner = changed(ICC, 12, b"scnr")
    assert icc.input_profile(scanner + b"padding")[:2] == (scanner, "ICC profile carried")


def test_a_jpeg_profile_leaves_the_stream_and_goes_with_the_frame():
    frame = frame_of(inserted(YCC, segment(0xE2, b"ICC_PROFILE\0\1\1" + ICC)))
    assert frame.icc_profile == icc.input_profile(ICC)[0]
    assert ICC[200:300] not in frame.streams[0]


def test_gray_pixels_take_no_profile():
    data, _ = png(0, 8, before=chunk(b"iCCP", b"s\0\0" + b"junk"))
    assert frame_of(data).icc_profile == b""
    assert frame_of(inserted(PLAIN_GRAY, segment(0xE2, b"ICC_PROFILE\0\1\1" + ICC))).icc_profile == b""


@pytest.mark.parametrize("background", ["", "white"])
@pytest.mark.parametrize("depth", [8, 16])
def test_an_alpha_that_hides_a_whole_picture_is_no_transparency(depth, background):
    samples = noise(16, 16, 4, top=2**depth - 1)
    samples[:, :, 3] = 0
    frame = frame_of(encode(samples, RGB_ALPHA, depth), background=background)
    np.testing.assert_array_equal(frame.pixels, samples[:, :, :3])
    assert alpha.HIDING in frame.decisions


def test_where_nothing_lies_beneath_such_an_alpha_no_background_is_advised():
    samples = np.zeros((4, 4, 2), np.uint16)
    with pytest.raises(PixelError, match="no picture in the file") as caught:
        frame_of(encode(samples, GRAY_ALPHA, 8))
    assert "--background" not in str(caught.value)
    frame = frame_of(encode(samples, GRAY_ALPHA, 8), background="white")
    assert (frame.pixels == 255).all()
    assert "the alpha hides every pixel: all of it laid on #ffffff" in frame.decisions


def test_a_bitmap_whose_fourth_channel_was_never_filled_is_a_picture():
    """The 32 bits of a BMP with a V4 header and an alpha mask."""
    size = 108
    header = struct.pack("<IiiHHIIiiII", size, 3, 2, 1, 32, 3, 24, 0, 0, 0, 0)
    masks = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    info = (header + masks).ljust(size, b"\0")
    pixels = bytes(value for n in range(6) for value in (n, n * 2, n * 3, 0))
    start = 14 + len(info)
    data = b"BM" + struct.pack("<IHHI", start + len(pixels), 0, 0, start) + info + pixels
    frame = frame_of(data)
    assert frame.pixels[1].tolist() == [[0, 0, 0], [3, 2, 1], [6, 4, 2]]
    assert alpha.HIDING in frame.decisions
