"""What a decoder raises: a lack of memory or time is never a damaged file, and no message changes from run to run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from bulkdcm.errors import PixelError
from bulkdcm.images import decoders, failures, limits
from bulkdcm.images.exif import geometry
from bulkdcm.signals import RowTimeoutError
from tests.streams import COLOR, GRAY8, exif, frame_of, saved, tiff
from tests.streams_jpeg import CMYK, EXIF, PLAIN_GRAY, YCC, inserted

if TYPE_CHECKING:
    from collections.abc import Callable

FILES = {
    "PNG": saved(COLOR, "PNG"),
    "palette PNG": saved(Image.fromarray(COLOR).convert("P"), "PNG"),
    "JPEG": YCC,
    "CMYK": CMYK,
    "GIF": saved(GRAY8, "GIF"),
    "TIFF": tiff(GRAY8),
    "WebP": saved(COLOR, "WEBP"),
    "BMP": saved(COLOR, "BMP"),
}
OPTIONS = {"transfer_syntax": "explicit", "convert_cmyk": True}


def _break(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    for module, name in (
        (decoders, "png"),
        (decoders, "jpeg"),
        (Image.Image, "convert"),
        (Image, "open"),
    ):
        monkeypatch.setattr(module, name, fail)


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("error", [RowTimeoutError, MemoryError, KeyboardInterrupt])
def test_a_lack_of_time_or_memory_is_no_damaged_file(
    kind: str, error: type[BaseException], monkeypatch: pytest.MonkeyPatch
):
    _break(monkeypatch, error())
    with pytest.raises(error):
        frame_of(FILES[kind], **OPTIONS)


@pytest.mark.parametrize("kind", FILES)
def test_a_decoder_that_fails_where_memory_is_short_is_a_lack_of_memory(kind: str, monkeypatch: pytest.MonkeyPatch):
    def short(size: int, *_: object) -> None:
        raise MemoryError(size)

    _break(monkeypatch, OSError("broken data stream"))
    monkeypatch.setattr(limits.np, "empty", lambda *_: None)
    monkeypatch.setattr(failures, "np", type("Numpy", (), {"empty": short, "uint8": np.uint8}))
    with pytest.raises(MemoryError):
        frame_of(FILES[kind], **OPTIONS)


def test_an_orientation_is_not_lost_for_lack_of_memory(monkeypatch: pytest.MonkeyPatch):
    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(Image.Exif, "load", fail)
    geometry.cache_clear()
    with pytest.raises(MemoryError):
        geometry(exif(6))


@pytest.mark.parametrize("kind", FILES)
def test_no_message_has_the_address_of_an_object(kind: str, monkeypatch: pytest.MonkeyPatch):
    _break(monkeypatch, OSError(f"cannot identify image file {object()!r}"))
    with pytest.raises(PixelError) as caught:
        frame_of(FILES[kind], **OPTIONS)
    assert not re.search("0x[0-9a-f]{6}", str(caught.value))
    assert "  " not in str(caught.value) and ".." not in str(caught.value)


@pytest.mark.parametrize(
    "data",
    [
        b"BM" + bytes(60),
        b"II*\0" + bytes(60),
        b"GIF89a" + bytes(60),
        b"RIFF\x40\0\0\0WEBPVP8 " + bytes(60),
        b"II*\0\x08\0\0\0\1\0\0\1\3\0\1\0\0\0\5\0\0\0\0\0\0\0",
        saved(GRAY8, "GIF")[:-9] + b"\0;",
    ],
)
def test_a_damaged_file_is_told_in_words_that_stay(data: bytes):
    with pytest.raises(PixelError) as first:
        frame_of(data)
    with pytest.raises(PixelError) as second:
        frame_of(bytes(bytearray(data)))
    assert str(first.value) == str(second.value)
    assert " at 0x" not in str(first.value)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\n<!DOCTYPE html><html><body>404</body></html>", "an HTML page"),
        (b"\xef\xbb\xbf<html lang='en'>", "an HTML page"),
        (b"<!-- proxy -->\n<HTML>", "an HTML page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 3\n", "a Git LFS pointer.*git lfs pull"),
        (b"/annex/objects/SHA256E-s1--a.png\n", "a git-annex pointer"),
        (b"outs:\n- md5: a\n", "a DVC pointer"),
        (b'{"error": "denied"}', "a JSON text"),
        (b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", "an XML text"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG drawing"),
        (b"../blobs/1234", "a text, which begins '../blobs/1234'"),
        ("Zugriff verweigert: für dich nicht".encode(), "a text"),
        (bytes(3000), "nothing but zero bytes"),
        (b"\x1f\x8b\x08" + bytes(9), "compressed with gzip"),
        (b"PK\3\4" + bytes(9), "a ZIP archive"),
        (b"%PDF-1.7", "a PDF document"),
        (b"\0\0\0\x18ftypheic" + bytes(9), "a HEIC photograph"),
        (b"\xff\x4f\xff\x51" + bytes(9), "a JPEG 2000 stream"),
        (b"\0\5\x16\7" + bytes(90), "AppleDouble"),
        (bytes(344) + b"n+1\0", "a NIfTI volume"),
    ],
)
def test_what_is_no_image_is_called_what_it_is(data: bytes, words: str):
    with pytest.raises(PixelError, match=f"^a/image.bin: not an image we read but .*{words}"):
        frame_of(data)


def _rotated(data: bytes) -> bytes:
    return inserted(data, EXIF[6])


@pytest.mark.parametrize("change", [_rotated, lambda data: data])
def test_a_gray_jpeg_decoded_has_one_channel(change: Callable[[bytes], bytes]):
    assert frame_of(change(PLAIN_GRAY), transfer_syntax="explicit").pixels.ndim == 2
