"""PNGs of every kind and damage, by our own encoder, each with what bulkdcm should make of it."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np

from tests.streams import ICC, Case, exif, noise, upright
from tests.streams_png_codec import (
    CHANNELS,
    COLORS,
    GRAY,
    GRAY_ALPHA,
    KINDS,
    PALETTE,
    RGB,
    RGB_ALPHA,
    SIGNATURE,
    TRANSPARENT_COLORS,
    assemble,
    chunk,
    encode,
    plte,
    png,
    samples_of,
    scanlines,
    seen,
)


def _keyed(color_type: int, depth: int, key: bytes, **options: Any) -> dict[str, Any]:
    """Return a PNG with tRNS: refused, or laid on the background where the options name black."""
    samples = samples_of(color_type, depth, 13, 11) if key else noise(13, 11, CHANNELS[color_type], top=2**depth - 1)
    before = plte(depth) if color_type == PALETTE else b""
    data = encode(samples, color_type, depth, before=before + (chunk(b"tRNS", key) if key else b""))
    pixels, opacity = seen(color_type, depth, samples, key=key or None)
    if (opacity == np.iinfo(pixels.dtype).max).all():
        return {"data": data, "pixels": pixels, "says": "alpha dropped"}
    if not options:
        return {"data": data, "refused": "pixels are transparent"}
    weight = opacity if pixels.ndim == 2 else opacity[:, :, None]
    black = np.rint(pixels.astype(float) * weight / np.iinfo(pixels.dtype).max).astype(pixels.dtype)
    return {"data": data, "pixels": black, "options": options, "says": "laid on"}


def _key(color_type: int, depth: int) -> bytes:
    """Return tRNS of the last pixel's colour, whose samples are the greatest; of a palette: opacities."""
    last = samples_of(color_type, depth, 13, 11)[-1, -1]
    return TRANSPARENT_COLORS[: 2**depth].tobytes() if color_type == PALETTE else last.astype(">u2").tobytes()


def _broken(kind: tuple[int, int]) -> list[Case]:
    """Return damaged files of one kind."""
    shape, lines = (13, 11), scanlines(samples_of(*kind, 13, 11), kind[1])
    (good, pixels), before = png(*kind), plte(kind[1]) if kind[0] == PALETTE else b""

    def file(*idats: bytes) -> bytes:
        return assemble(shape, *kind, list(idats), before=before)

    packed = zlib.compress(lines)
    interlaced, _ = png(*kind, interlace=True)
    wrong_crc = bytearray(good)
    wrong_crc[good.index(b"IEND") - 5] ^= 1
    stored = bytearray(file(zlib.compress(lines, 0)))  # stored as they are, so that a flipped bit is a changed pixel
    stored[stored.index(b"IDAT") + 40] ^= 1
    ill_filter = b"\x09" + lines[1:]
    bad = [
        ("cut off in IDAT", good[: good.index(b"IDAT") + 20], "cut off"),
        ("cut off before IEND", good[:-12], "cut off"),
        ("with a wrong CRC in IDAT", bytes(wrong_crc), "can't be decoded"),
        ("with a flipped bit in IDAT", bytes(stored), "can't be decoded"),
        ("whose compressed data stop early", file(packed[: len(packed) // 2]), "can't be decoded"),
        ("with too few lines", file(zlib.compress(lines[: len(lines) // 2])), "can't be decoded"),
        ("lacking the last line", file(zlib.compress(lines[: -len(lines) // shape[0]])), "can't be decoded"),
        ("lacking the last byte", file(zlib.compress(lines[:-1])), "can't be decoded"),
        ("without IDAT", file(), "can't be decoded"),
        ("of compression method 1", SIGNATURE + chunk(b"IHDR", good[16:26] + b"\1\0\0") + good[33:], "PNG"),
        ("of filter method 1", SIGNATURE + chunk(b"IHDR", good[16:26] + b"\0\1\0") + good[33:], "PNG"),
        ("of interlace method 2", SIGNATURE + chunk(b"IHDR", interlaced[16:26] + b"\0\0\2") + interlaced[33:], "PNG"),
        ("with a wrong zlib checksum", file(packed[:-1] + bytes([packed[-1] ^ 1])), "checksum"),
        ("without its zlib checksum", file(packed[:-4]), "ends before its checksum"),
        ("with a thousand times its lines", file(zlib.compress(lines + bytes(10**6))), "goes on"),
        ("with an unknown filter", file(zlib.compress(ill_filter)), "can't be decoded"),
    ]
    fine = [
        ("with trailing bytes", good + b"\0junk"),
        (
            "with a text of 5 MB",
            file(packed).replace(
                chunk(b"IDAT", packed),
                chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(5_000_000))) + chunk(b"IDAT", packed),
            ),
        ),
        ("with lines to spare", file(zlib.compress(lines + bytes(40)))),
        ("in many IDATs, one empty", file(packed[:3], b"", *(packed[i : i + 7] for i in range(3, len(packed), 7)))),
    ]
    name = f"PNG {kind}"
    return [Case(name=f"{name} {what}", data=data, refused=word) for what, data, word in bad] + [
        Case(name=f"{name} {what}", data=data, pixels=pixels) for what, data in fine
    ]  # fmt: skip


_RAMP = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
_EQUAL = np.repeat(samples_of(GRAY, 16, 6, 5), 3, axis=2)
_GRAY8, _RGB8 = samples_of(GRAY, 8, 6, 5), samples_of(RGB, 8, 6, 5)
_FEW = samples_of(PALETTE, 2, 6, 5)
_SHORT_KEY = chunk(b"PLTE", COLORS[:3].tobytes())

PNGS = [
    Case(name=f"PNG {kind}{' Adam7' * interlace} {columns}x{rows}", data=data, pixels=pixels)
    for kind in KINDS
    for interlace in (False, True)
    for rows, columns in ((13, 11), (1, 9), (9, 1), (1, 1), (2, 3), (8, 8))
    for data, pixels in [png(*kind, rows, columns, interlace=interlace)]
]
PNGS += [
    Case(name=f"PNG {kind} {what}", **_keyed(*kind, key, **options))
    for kind in KINDS
    for what, options in (("transparent", {}), ("transparent on black", {"background": "black"}))
    for key in [b"" if kind[0] in {GRAY_ALPHA, RGB_ALPHA} else _key(*kind)]
]
PNGS += [case for kind in KINDS for case in _broken(kind)]
_CHUNKED = encode(_FEW, PALETTE, 2, before=plte(2) + b"".join(chunk(kind, b"\xff") for kind in (b"tRNS", b"iCCP", b"eXIf", b"tEXt")))  # fmt: skip
PNGS += [
    Case(name=f"PNG with a wrong checksum of {kind.decode()}", data=_CHUNKED[:at] + bytes([_CHUNKED[at] ^ 1]) + _CHUNKED[at + 1 :], refused=f"checksum.*{kind.decode()}")
    for kind in (b"IHDR", b"PLTE", b"tRNS", b"iCCP", b"eXIf", b"tEXt", b"IEND")
    for at in [_CHUNKED.index(kind) + 4 + int.from_bytes(_CHUNKED[_CHUNKED.index(kind) - 4 : _CHUNKED.index(kind)], "big")]
]  # fmt: skip
PNGS += [
    Case(name=f"PNG {(color_type, 8)} orientation {turn} {order}", data=data, pixels=upright(pixels, turn))
    for color_type in (GRAY, RGB, PALETTE)
    for turn in range(1, 9)
    for order in "<>"
    for data, pixels in [png(color_type, 8, 7, 4, before=chunk(b"eXIf", exif(turn, order)))]
]
PNGS += [
    Case(name="PNG RGB 16 of equal channels", data=encode(_EQUAL, RGB, 16), pixels=_EQUAL[:, :, 0], says="gray collapsed"),
    Case(name="PNG RGB 16 of equal channels kept", data=encode(_EQUAL, RGB, 16), pixels=_EQUAL, options={"keep_color": True}),
    Case(name="PNG of a gray palette", data=encode(_GRAY8, PALETTE, 8, before=plte(8, _RAMP)), pixels=_GRAY8[:, :, 0].astype(np.uint8), says="gray collapsed"),
    Case(name="PNG with a profile", data=encode(_RGB8, RGB, 8, before=chunk(b"iCCP", b"s\0\0" + zlib.compress(ICC))), pixels=_RGB8.astype(np.uint8), says="ICC profile carried"),
    Case(name="PNG gray with a profile", data=encode(_GRAY8, GRAY, 8, before=chunk(b"iCCP", b"s\0\0" + zlib.compress(ICC))), pixels=_GRAY8[:, :, 0].astype(np.uint8), says="ICC profile left out: the image is gray"),
    Case(name="PNG with a damaged profile", data=encode(_RGB8, RGB, 8, before=chunk(b"iCCP", b"s\0\0" + b"junk")), pixels=_RGB8.astype(np.uint8), says="ICC profile (damaged)"),
    Case(name="PNG gray with every word on colour", data=encode(_GRAY8, GRAY, 8, before=chunk(b"gAMA", b"\0\1\x86\xa0") + chunk(b"cHRM", bytes(32)) + chunk(b"cICP", b"\x0c\x10\0\1") + chunk(b"sRGB", b"\0")), pixels=_GRAY8[:, :, 0].astype(np.uint8), says="colour space left out: gAMA 1, cHRM, sRGB, cICP"),
    Case(name="PNG with gamma, depth and text", data=encode(_RGB8, RGB, 8, before=chunk(b"gAMA", b"\0\0\xb1\x8f") + chunk(b"sBIT", b"\5\6\5") + chunk(b"tEXt", b"a\0b")), pixels=_RGB8.astype(np.uint8)),
    Case(name="PNG tRNS of a colour that is not there", data=encode(_RGB8 // 2, RGB, 8, before=chunk(b"tRNS", b"\0\0" + b"\0\xff" * 2)), pixels=(_RGB8 // 2).astype(np.uint8), says="alpha dropped"),
    Case(name="PNG gray 8 tRNS with high bits set", data=encode(_GRAY8, GRAY, 8, before=chunk(b"tRNS", b"\x01\xff")), refused="transparent"),
    Case(name="PNG gray 2 tRNS with high bits set", data=encode(_FEW, GRAY, 2, before=chunk(b"tRNS", b"\0\x07")), refused="transparent"),
    Case(name="PNG RGB 8 tRNS too short", data=encode(_EQUAL % 256, RGB, 8, before=chunk(b"tRNS", bytes([0, _EQUAL[0, 0, 0] % 256]))), refused="tRNS|can't be decoded"),
    Case(name="APNG of three frames", data=encode(_RGB8, RGB, 8, before=chunk(b"acTL", struct.pack(">II", 3, 0))), refused="animated"),
    Case(name="APNG of one frame", data=encode(_RGB8, RGB, 8, before=chunk(b"acTL", struct.pack(">II", 1, 0)) + chunk(b"fcTL", struct.pack(">IIIIIHHBB", 0, 5, 6, 0, 0, 1, 1, 0, 0))), pixels=_RGB8.astype(np.uint8)),
    Case(name="PNG palette too short for its indices", data=encode(_FEW, PALETTE, 2, before=_SHORT_KEY), refused="can't be decoded"),
    Case(name="PNG palette missing", data=encode(_FEW, PALETTE, 2), refused="can't be decoded"),
    Case(name="PNG of no rows", data=assemble((0, 5), GRAY, 8, [zlib.compress(b"")]), refused="header"),
    Case(name="PNG of depth 3", data=assemble((5, 5), GRAY, 3, [zlib.compress(bytes(30))]), refused="header"),
    Case(name="PNG too wide", data=assemble((1, 65536), GRAY, 1, [zlib.compress(bytes(8193))]), refused="65535"),
    Case(name="PNG of too many pixels", data=png(GRAY, 8)[0], refused="--max-pixels", options={"max_pixels": 100}),
    Case(name="PNG of 4 gigapixels in 60 bytes", data=assemble((65535, 65535), GRAY, 8, [zlib.compress(b"")]), refused="--max-pixels"),
    Case(name="PNG signature alone", data=SIGNATURE, refused="cut off"),
]  # fmt: skip
