"""JPEGs of every coding and damage, by imagecodecs and Pillow, and a walk over segments of our own."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import imagecodecs
import numpy as np

from bulkdcm.images import decoders
from tests.streams import ICC, Case, exif, saved, smooth, upright

if TYPE_CHECKING:
    from collections.abc import Sequence

BASELINE, EXTENDED, LOSSLESS, LOSSLESS_SV1 = (f"1.2.840.10008.1.2.4.{n}" for n in (50, 51, 57, 70))
SOF0, SOF1, SOF3, DHT, SOI, EOI, SOS, APP0, APP14, COM = 0xC0, 0xC1, 0xC3, 0xC4, 0xD8, 0xD9, 0xDA, 0xE0, 0xEE, 0xFE
METADATA = {*range(APP0, APP0 + 16), COM}
GRAY, COLOR = smooth(29, 37), smooth(29, 37, 3)


def segments(data: bytes) -> list[tuple[int, bytes]]:
    """Return marker and bytes of each segment from SOI to EOI, a scan with its SOS; fill bytes left out."""
    found, at = [(SOI, data[:2])], 2
    while found[-1][0] != EOI:
        while data[at + 1] == 0xFF:
            at += 1
        marker = data[at + 1]
        end = at + 2 if marker == EOI else at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        while marker == SOS and not (data[end] == 0xFF and data[end + 1] not in {0, *range(0xD0, 0xD8)}):
            end += 1
        found.append((marker, data[at:end]))
        at = end
    return found


def joined(parts: Sequence[tuple[int, bytes]]) -> bytes:
    return b"".join(part for _, part in parts)


def without(data: bytes, *markers: int) -> bytes:
    return joined([part for part in segments(data) if part[0] not in markers])


def segment(marker: int, payload: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def inserted(data: bytes, *added: bytes, before: int | None = None) -> bytes:
    """Return the stream with bytes put in after SOI, or before each segment of a marker."""
    if before is None:
        return data[:2] + b"".join(added) + data[2:]
    return b"".join(b"".join(added) * (marker == before) + part for marker, part in segments(data))


def patched(data: bytes, marker: int, at: int, value: bytes) -> bytes:
    """Return the stream with bytes of one segment changed; `at` counts from its FF."""
    return joined([(m, p[:at] + value + p[at + len(value) :] if m == marker else p) for m, p in segments(data)])


def renamed(data: bytes, ids: Sequence[int]) -> bytes:
    """Return the stream with other component identifiers."""
    for number, name in enumerate(ids):
        data = patched(data, SOF0, 10 + 3 * number, bytes([name]))
        data = patched(data, SOS, 5 + 2 * number, bytes([name]))
    return data


def predictor(data: bytes) -> int:
    (scan,) = [part for marker, part in segments(data) if marker == SOS]
    return scan[5 + 2 * scan[4]]


def jpeg(pixels: Any, **options: Any) -> bytes:
    return imagecodecs.jpeg8_encode(pixels, level=95, **options)


def rgb(pixels: Any, **options: Any) -> bytes:
    return jpeg(pixels, colorspace="rgb", outcolorspace="rgb", **options)


def shown(data: bytes) -> Any:
    """Return what libjpeg makes of a stream."""
    return imagecodecs.jpeg8_decode(data)


JFIF = segment(APP0, b"JFIF\0\1\1\0\0\1\0\1\0\0")
ADOBE = [segment(APP14, b"Adobe\0\x64\0\0\0\0" + bytes([transform])) for transform in range(3)]
PLAIN_GRAY, YCC = jpeg(GRAY), jpeg(COLOR, subsampling="444")
RGB_BY_ADOBE = rgb(COLOR)
NAMED_RGB = without(renamed(RGB_BY_ADOBE, b"RGB"), APP14)
YCC_BARE = without(YCC, APP0)
DEEP = jpeg(GRAY.astype(np.uint16) * 16, bitspersample=12)
# Adobe's way: ink 0 is 255, so that red is C times K.
CMYK = jpeg(np.dstack([COLOR, GRAY]), colorspace="cmyk", outcolorspace="cmyk")
YCCK = jpeg(np.dstack([COLOR, GRAY]), colorspace="cmyk", outcolorspace="ycck")
EXIF = [segment(0xE1, b"Exif\0\0" + exif(turn)) for turn in range(10)]
PROFILE = segment(0xE2, b"ICC_PROFILE\0\1\1" + ICC)
# Made by `jpegtran -arithmetic` of smooth(16, 24) at quality 90, and the same with `-progressive`.
ARITHMETIC = bytes.fromhex(
    "ffd8ffe000104a46494600010100000100010000ffdb0043000302020302020303030304030304050805050404050a070706080c0a0c0c"
    "0b0a0b0b0d0e12100d0e110e0b0b1016101113141515150c0f171816141812141514ffc9000b080010001801011100ffcc000600101005"
    "ffda0008010100003f00ff00dc9d2b1bcd0cae1048907814ff0065d499991e345b17896881af37562d0b6807d4ffd9"
)
ARITHMETIC_PROGRESSIVE = bytes.fromhex(
    "ffd8ffe000104a46494600010100000100010000ffdb0043000302020302020303030304030304050805050404050a070706080c0a0c0c"
    "0b0a0b0b0d0e12100d0e110e0b0b1016101113141515150c0f171816141812141514ffca000b080010001801011100ffcc00040010ffda"
    "0008010100000001ff00b91d7352c2e330ffcc00041005ffda0008010100010502144156bcd5dc5f1a72ffcc00041005ffda0008010100"
    "063f02c0ffcc00041005ffda0008010100013f212318596922ffda0008010100000010c0ffcc00041005ffda0008010100013f10a66d25"
    "a1c7562efeffd9"
)


def _passed(name: str, data: bytes, interpretation: str, uid: str = BASELINE, **more: Any) -> Case:
    return Case(name=f"JPEG {name}", data=data, uid=uid, interpretation=interpretation, **more)


def _gray(name: str, data: bytes, uid: str = BASELINE, **more: Any) -> Case:
    return _passed(f"gray {name}", data, "MONOCHROME2", uid, **more)


def _ycc(name: str, data: bytes, **more: Any) -> Case:
    return _passed(f"YCbCr {name}", data, "YBR_FULL_422", **more)


def _decoded(name: str, data: bytes, pixels: Any, **more: Any) -> Case:
    return Case(name=f"JPEG {name}", data=data, decoded=pixels, **{"says": "decoded: ", **more})


def _refused(name: str, data: bytes, words: str, **more: Any) -> Case:
    return Case(name=f"JPEG {name}", data=data, refused=words, **more)


def _arithmetic(name: str, data: bytes) -> Case:
    """Return what one decoder alone can check."""
    return _decoded(name, data, smooth(16, 24)) if decoders.release() else _refused(name, data, "pip install kornia-rs")


JPEGS = [_gray(f"{w}x{h}", jpeg(smooth(h, w))) for h, w in ((1, 1), (1, 40), (40, 1), (8, 8), (17, 33))]
JPEGS += [_ycc(f"{sampling} {w}x{h}", jpeg(smooth(h, w, 3), subsampling=sampling)) for h, w in ((1, 1), (1, 40), (17, 33)) for sampling in ("444", "422", "420", "440", "411")]  # fmt: skip
JPEGS += [
    _gray("baseline", PLAIN_GRAY),
    _gray("without JFIF", without(PLAIN_GRAY, APP0)),
    _gray("with comments", inserted(PLAIN_GRAY, segment(COM, b"Jane Doe"), segment(COM, b""), before=SOS)),
    _gray("with restart markers", saved(GRAY, "JPEG", restart_marker_blocks=2)),
    _gray("with upright EXIF", inserted(PLAIN_GRAY, EXIF[1])),
    _gray("with EXIF orientation 0", inserted(PLAIN_GRAY, EXIF[0])),
    _gray("with EXIF orientation 9", inserted(PLAIN_GRAY, EXIF[9])),
    _gray("with damaged EXIF", inserted(PLAIN_GRAY, EXIF[6][:14] + b"\xff" * (len(EXIF[6]) - 14))),
    _gray("with a thumbnail", inserted(PLAIN_GRAY, segment(0xE1, b"Exif\0\0" + exif(1) + PLAIN_GRAY))),
    _gray("with a profile", inserted(PLAIN_GRAY, PROFILE), says="ICC profile left out: the image is gray"),
    _gray("with every APPn", inserted(PLAIN_GRAY, *[segment(APP0 + n, b"secret%d" % n) for n in range(16)])),
    _gray("of odd length", next(data for size in range(30, 50) if len(data := without(jpeg(smooth(29, size)), APP0)) % 2)),
    _gray("with trailing zeros", PLAIN_GRAY + bytes(7), says="7 bytes after"),
    _gray("with a second image after it", PLAIN_GRAY + YCC, says=f"{len(YCC)} bytes after"),
    _gray("with a redundant DNL", inserted(PLAIN_GRAY, b"\xff\xdc\0\4\0\x1d", before=EOI)),
    _gray("under component name 0", renamed(PLAIN_GRAY, [0])),
    _gray("SOF1 of 8 bits", patched(PLAIN_GRAY, SOF0, 1, b"\xc1"), EXTENDED),
    _gray("SOF1 of 12 bits", DEEP, EXTENDED),
    _ycc("with restart markers", saved(COLOR, "JPEG", quality=95, subsampling=1, restart_marker_rows=1)),
    _ycc("bare", YCC_BARE),
    _ycc("by Adobe 1", inserted(YCC_BARE, ADOBE[1])),
    _ycc("by JFIF and Adobe 1", inserted(YCC, ADOBE[1])),
    _ycc("by component names 0, 1, 2", without(renamed(YCC, [0, 1, 2]), APP0)),
    _ycc("with a profile", inserted(YCC, PROFILE), says="ICC profile carried"),
    _ycc("with a profile in two parts, the second first", inserted(YCC, segment(0xE2, b"ICC_PROFILE\0\2\2" + ICC[300:]), segment(0xE2, b"ICC_PROFILE\0\1\2" + ICC[:300])), says="ICC profile carried"),
    _ycc("with a profile of which one part is missing", inserted(YCC, segment(0xE2, b"ICC_PROFILE\0\1\2" + ICC[:300])), says="left out"),
    _ycc("gray in colour", jpeg(np.dstack([GRAY] * 3))),
    _ycc("for US", YCC, iod="US"),
    _passed("RGB by Adobe 0", RGB_BY_ADOBE, "RGB"),
    _passed("RGB by Adobe 0 and names", renamed(RGB_BY_ADOBE, b"RGB"), "RGB"),
    _passed("lossless RGB", rgb(COLOR, lossless=True, predictor=1), "RGB", LOSSLESS_SV1),
    _decoded("RGB for US", RGB_BY_ADOBE, COLOR, iod="US"),
    _decoded("RGB by component names", NAMED_RGB, COLOR),
    _decoded("YCbCr by JFIF under the names R, G, B", renamed(YCC, b"RGB"), COLOR),
    _decoded("YCbCr by Adobe under the names R, G, B", inserted(renamed(YCC_BARE, b"RGB"), ADOBE[1]), COLOR),
    _decoded("SOF1 YCbCr", patched(YCC, SOF0, 1, b"\xc1"), COLOR),
    _decoded("progressive gray", saved(GRAY, "JPEG", quality=95, progressive=True), GRAY),
    _decoded("progressive YCbCr", saved(COLOR, "JPEG", quality=95, subsampling=0, progressive=True), COLOR),
    _arithmetic("arithmetic", ARITHMETIC),
    _arithmetic("arithmetic progressive", ARITHMETIC_PROGRESSIVE),
    _decoded("gray as asked", PLAIN_GRAY, GRAY, options={"transfer_syntax": "explicit"}),
    _decoded("YCbCr as asked", YCC, COLOR, options={"transfer_syntax": "implicit"}),
    _decoded("gray in colour for CR", jpeg(np.dstack([GRAY] * 3)), GRAY, iod="CR", says="gray collapsed"),
    _decoded("CMYK as asked", CMYK, COLOR * (GRAY[:, :, None] / 255), options={"convert_cmyk": True}),
    _decoded("YCCK as asked", YCCK, COLOR * (GRAY[:, :, None] / 255), options={"convert_cmyk": True}),
    _decoded("whose height stands after its pixels", inserted(patched(PLAIN_GRAY, SOF0, 5, b"\0\0"), b"\xff\xdc\0\4\0\x1d", before=EOI), GRAY, says="DNL"),
    _decoded("gray without Huffman tables", without(PLAIN_GRAY, DHT), GRAY, says="no Huffman tables"),
    _decoded("YCbCr without Huffman tables", without(YCC, DHT), COLOR, says="no Huffman tables"),
    _decoded("YCbCr under the names r, g, b", without(renamed(YCC, b"rgb"), APP0), COLOR, says="component names r, g, b"),
    _decoded("of an MPO, turned", inserted(PLAIN_GRAY, EXIF[6]) + inserted(YCC, EXIF[1]), upright(GRAY, 6)),
]  # fmt: skip
JPEGS += [
    _gray(f"lossless of {depth} bits by predictor {by}", jpeg(GRAY.astype(np.uint16 if depth > 8 else np.uint8) << depth - 8, lossless=True, predictor=by, bitspersample=depth), LOSSLESS_SV1 if by == 1 else LOSSLESS)
    for depth in (8, 12, 16) for by in range(1, 8)
]  # fmt: skip
JPEGS += [_decoded(f"{kind} EXIF orientation {turn}", inserted(data, EXIF[turn]), upright(pixels, turn), says=f"orientation {turn}") for turn in range(2, 9) for kind, data, pixels in (("gray", PLAIN_GRAY, GRAY), ("YCbCr", YCC, COLOR), ("RGB", RGB_BY_ADOBE, COLOR))]  # fmt: skip
JPEGS += [
    _refused("without EOI", PLAIN_GRAY[:-2], "cut off"),
    _refused("of the markers alone", b"\xff\xd8\xff\xd9", "without an image"),
    _refused("without a scan", without(PLAIN_GRAY, SOS), "scan"),
    _refused("of two frames", inserted(PLAIN_GRAY, next(p for m, p in segments(PLAIN_GRAY) if m == SOF0), before=SOS), "single frame"),
    _refused("with an image inside", inserted(PLAIN_GRAY, PLAIN_GRAY, before=SOF0), "second image begins"),
    _refused("of no rows", patched(PLAIN_GRAY, SOF0, 5, b"\0\0"), "0 rows"),
    _refused("of no rows, DNL of none either", inserted(patched(PLAIN_GRAY, SOF0, 5, b"\0\0"), b"\xff\xdc\0\4\0\0", before=EOI), "DNL"),
    _refused("with a DNL that contradicts", inserted(PLAIN_GRAY, b"\xff\xdc\0\4\0\x1c", before=EOI), "says 29 lines, its DNL segment 28"),
    _refused("of no columns", patched(PLAIN_GRAY, SOF0, 7, b"\0\0"), "0 columns"),
    _refused("with garbage between segments", inserted(PLAIN_GRAY, b"junk", before=SOF0), "should begin a marker"),
    _refused("of two components", joined([(m, segment(SOF0, b"\x08\0\x1d\0\x25\2\1\x11\0\2\x11\0") if m == SOF0 else p) for m, p in segments(PLAIN_GRAY)]), "2 components"),
    _refused("CMYK", CMYK, "--convert-cmyk"),
    _refused("YCCK", YCCK, "--convert-cmyk"),
    _refused("YCbCr of 12 bits", jpeg(COLOR.astype(np.uint16) * 16, bitspersample=12), "12-bit"),
    _refused("baseline of 12 bits", patched(DEEP, SOF1, 1, b"\xc0"), "12-bit"),
    _refused("of 12 bits turned", inserted(DEEP, EXIF[6]), "12-bit extended JPEG can only be passed"),
    _refused("lossless, to be decoded", jpeg(GRAY, lossless=True, predictor=1), "only be passed", options={"transfer_syntax": "explicit"}),
    _refused("lossless in YCbCr", inserted(without(rgb(COLOR, lossless=True), APP14), JFIF), "lossless JPEG in YCbCr"),
    _refused("hierarchical", patched(PLAIN_GRAY, SOF0, 1, b"\xc5"), "hierarchical"),
    _refused("too large", YCC, "--max-pixels", options={"max_pixels": 1000}),
]  # fmt: skip
