"""GIF, TIFF, WebP and BMP whose structure is damaged: refused, though a lenient decoder fills what lacks."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from bulkdcm.errors import PixelError
from bulkdcm.images import gif_blocks
from tests.streams import COLOR, GRAY8, bmp, frame_of, noise, saved, smooth, tiff

PALETTED = Image.fromarray(GRAY8 % 4)
PALETTED.putpalette(bytes(range(12)))
GIF = saved(PALETTED, "GIF")
FULL = saved(Image.fromarray(GRAY8), "GIF")  # of many colours
CODES = GIF.index(b",\0\0\0\0") + 10  # where the size of the codes stands
RLE = struct.pack("<IiiHHIIiiII", 40, 4, 2, 1, 8, 1, 0, 0, 0, 3, 0)


def _rle(coded: bytes) -> bytes:
    return b"BM" + struct.pack("<IHHI", 66 + len(coded), 0, 0, 66) + RLE + b"\0\0\0\0\1\1\1\0\2\2\2\0" + coded


def _deflated(change: int) -> bytes:
    """Return a TIFF of stored deflate, a byte of its pixels changed."""
    data = bytearray(tiff(smooth(20, 30)))
    packed = bytearray(zlib.compress(smooth(20, 30).tobytes(), 0))
    packed[20] ^= change
    at = len(data)
    data += packed
    for tag, value in ((259, 8), (273, at), (279, len(packed))):
        place = data.rindex(struct.pack("<H", tag) + struct.pack("<H", 4 if tag != 259 else 3), 0, at)
        data[place + 8 : place + 12] = struct.pack("<I", value)
    return bytes(data)


def _jpeg_tiff(*, harm: bool) -> bytes:
    pixels = np.where(np.arange(64)[:, None] < 40, 99, noise(64, 80)).astype(np.uint8)
    data = bytearray(saved(pixels, "TIFF", compression="jpeg", strip_size=10**6))
    start = data.rindex(b"\xff\xda")
    end = data.index(b"\xff\xd9", start)
    if harm:
        data[start + (end - start) // 2 : end] = b"\x12" * (end - start - (end - start) // 2)
    return bytes(data)


def _pages(count: int) -> bytes:
    """Return a TIFF of one strip with so many directories of it."""
    data = tiff(GRAY8)
    first = int.from_bytes(data[4:8], "little")
    directory = data[first:-4]
    parts = [data[:first]]
    for number in range(count):
        after = first + (number + 1) * (len(directory) + 4)
        parts.append(directory + struct.pack("<I", after if number < count - 1 else 0))
    return b"".join(parts)


def _looped() -> bytes:
    data = _pages(2)
    return data[:-4] + data[4:8]


WEBP = saved(COLOR, "WEBP", lossless=True)
WRONG = {
    "GIF without its trailer": (GIF[:-1], "cut off"),
    "GIF with a block of nothing": (GIF[:-1] + b"junk" + GIF[-1:], "should begin a block"),
    "GIF whose codes end early": (GIF[: CODES + 1] + b"\x04" + GIF[CODES + 2 : CODES + 6] + b"\0;", "pixels of frame 1 are there"),
    "GIF whose palette is too short": (FULL[:10] + b"\xf0" + FULL[11:19] + FULL[13 + 3 * (2 << (FULL[10] & 7)) :], "no colour"),
    "GIF of codes of 9 bits": (GIF[:CODES] + b"\x09" + GIF[CODES + 1 :], "codes of 9 bits"),
    "GIF without an image": (GIF[: CODES - 10] + b";", "no image"),
    "TIFF whose directories lead back": (_looped(), "leads back"),
    "TIFF of 10001 directories": (_pages(10_001), "more than 10000 directories"),
    "TIFF whose directory is cut off": (tiff(GRAY8)[:-10], "cut off|can't be decoded"),
    "TIFF whose strip goes beyond its end": (tiff(GRAY8, extra={279: 10**6}), "beyond its end"),
    "TIFF whose strip is too short": (tiff(GRAY8, extra={279: 5}), "has 5 of 63 bytes"),
    "TIFF with a wrong zlib checksum": (_deflated(1), "checksum"),
    "TIFF with a tag of no value": (tiff(GRAY8).replace(struct.pack("<HHI", 259, 3, 1), struct.pack("<HHI", 259, 3, 0)), "tag 259 of the TIFF has no value"),
    "TIFF that is neither gray nor colour": (tiff(GRAY8).replace(struct.pack("<HHI", 262, 3, 1), struct.pack("<HHI", 263, 3, 1)), "PhotometricInterpretation"),
    "TIFF with a damaged JPEG": (_jpeg_tiff(harm=True), "a scan is damaged"),
    "WebP cut off at its end": (WEBP[:-2], "bytes are there"),
    "WebP without an image": (b"RIFF\x0c\0\0\0WEBPEXIF\0\0\0\0", "no image"),
    "BMP one byte short": (bmp(COLOR)[:-1], "bytes are there"),
    "BMP of 300 colours in 8 bits": (saved(GRAY8, "BMP").replace(struct.pack("<II", 256, 256), struct.pack("<II", 300, 0), 1), "300 colours|bytes"),
    "BMP whose pixels begin in its palette": (saved(GRAY8, "BMP")[:10] + struct.pack("<I", 200) + saved(GRAY8, "BMP")[14:], "inside its palette"),
    "BMP with a run beyond its line": (_rle(b"\x05\0\0\0\4\1\0\1"), "beyond its line"),
    "BMP with lines missing": (_rle(b"\4\0\0\1"), "lines lack"),
    "BMP whose palette lacks a colour": (_rle(b"\4\0\0\0\4\7\0\1"), "no colour 7"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_damage_is_refused_with_what_it_is(name: str):
    data, words = WRONG[name]
    with pytest.raises(PixelError, match=words) as caught:
        frame_of(data, "SC-COLOR")
    assert str(caught.value).startswith("a/image.bin")


def test_what_the_damage_was_done_to_is_read():
    np.testing.assert_array_equal(frame_of(_deflated(0)).pixels, smooth(20, 30))
    assert frame_of(_jpeg_tiff(harm=False)).pixels.shape == (64, 80)
    np.testing.assert_array_equal(frame_of(_rle(b"\4\0\0\0\4\1\0\1")).pixels, [[1] * 4, [0] * 4])
    assert frame_of(_pages(3), "SC-BYTE").number_of_frames == 3


@pytest.mark.parametrize("packed", [False, True])
def test_a_tiled_tiff_is_read(*, packed: bool):
    pixels = smooth(16, 32)
    tiles = [tile.tobytes() for tile in (pixels[:, :16], pixels[:, 16:])]
    parts = [zlib.compress(tile) for tile in tiles] if packed else tiles
    data = b"II*\0" + struct.pack("<I", 8 + sum(map(len, parts)) + 16) + b"".join(parts)
    at = 8 + sum(map(len, parts))
    data += struct.pack("<4I", 8, 8 + len(parts[0]), len(parts[0]), len(parts[1]))
    tags = [(256, 3, 1, 32), (257, 3, 1, 16), (258, 3, 1, 8), (259, 3, 1, 8 if packed else 1), (262, 3, 1, 1)]
    tags += [(277, 3, 1, 1), (322, 3, 1, 16), (323, 3, 1, 16), (324, 4, 2, at), (325, 4, 2, at + 8)]
    data += struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags) + bytes(4)
    np.testing.assert_array_equal(frame_of(data).pixels, pixels)


def test_a_gif_frame_smaller_than_its_screen_is_said():
    data = bytearray(GIF)
    data[6:10] = struct.pack("<HH", 12, 10)
    frame = frame_of(bytes(data), background="black")
    assert "frame 1 has 9 x 7 pixels at 0, 0 of a screen of 12 x 10" in frame.decisions
    assert (frame.rows, frame.columns) == (10, 12)


def test_the_frames_of_a_gif_say_what_they_were_decoded_from():
    data = saved(PALETTED, "GIF", save_all=True, append_images=[PALETTED.rotate(180)])
    assert frame_of(data, "SC-COLOR").decisions[0] == "decoded: GIF"


def test_max_pixels_counts_every_frame_before_one_is_decoded(monkeypatch: pytest.MonkeyPatch):
    data = saved(PALETTED, "GIF", save_all=True, append_images=[PALETTED.rotate(180), PALETTED.rotate(90)])
    monkeypatch.setattr(Image.Image, "seek", lambda *_: pytest.fail("decoded"))
    for kind, file in (("SC-COLOR", data), ("SC-BYTE", _pages(3))):
        with pytest.raises(PixelError, match="x 3 pixels are more than --max-pixels 150"):
            frame_of(file, kind, max_pixels=150)


def test_lzw_codes_are_counted_as_they_are_decoded():
    for shape in ((1, 1), (300, 400), (64, 64)):
        pixels = noise(*shape).astype(np.uint8)
        data = saved(Image.fromarray(pixels), "GIF")
        assert gif_blocks.walk(data, "x").frames == [(0, 0, shape[1], shape[0])]
        np.testing.assert_array_equal(frame_of(data).pixels, pixels)
