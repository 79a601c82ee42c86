"""What the corpus is made of: a case, its parameters, metadata blocks; and the formats beside PNG and JPEG.

`streams_png` and `streams_jpeg` hold the other two. Everything is made in memory, nothing is read from disk.
"""

from __future__ import annotations

import hashlib
import io
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import imagecodecs
import numpy as np
import pytest
from PIL import Image, ImageCms

from bulkdcm.images import read
from bulkdcm.iods.registry import IODS
from bulkdcm.model import Source
from bulkdcm.settings import Settings

if TYPE_CHECKING:
    from bulkdcm.model import Frame

CLASSES = {iod.alias: iod for iod in IODS}
ICC = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@dataclass(frozen=True, kw_only=True)
class Case:
    """One file, and what bulkdcm should make of it: one of `pixels`, `uid`, `decoded`, `refused`."""

    name: str
    data: bytes = field(repr=False)
    pixels: Any = None
    "These, exactly."
    decoded: Any = None
    "These, from a lossy stream: within a few levels."
    uid: str = ""
    "Passed through under this transfer syntax ..."
    interpretation: str = ""
    "... and this Photometric Interpretation."
    refused: str = ""
    "Words of the message."
    says: str = ""
    "Words among the decisions."
    options: dict[str, Any] = field(default_factory=dict)
    iod: str = "SC"


def params(cases: list[Case]) -> list[Any]:
    """Return the cases as pytest parameters."""
    return [pytest.param(case, id=case.name) for case in cases]


def frame_of(data: bytes, iod: str = "SC", **options: Any) -> Frame:
    """Read `data` as bulkdcm does in a run."""
    source = Source(path="a/image.bin", data=data, sha256=hashlib.sha256(data).hexdigest(), version=0)
    return read((source,), Settings.of(**options), CLASSES[iod])


def noise(*shape: int, top: int = 255, seed: int = 3) -> Any:
    """Return random samples 0 to `top`, both of them included."""
    samples = np.random.default_rng(seed).integers(0, top + 1, shape, dtype=np.uint16)
    samples.flat[0], samples.flat[-1] = 0, top
    return samples


def smooth(rows: int, columns: int, channels: int = 0) -> Any:
    """Return a gradient that a lossy codec keeps well; each channel another."""
    y, x = np.mgrid[:rows, :columns]
    planes = [40 + 150 * y // rows, 50 + 160 * x // columns, 220 - 90 * (x + y) // (rows + columns)]
    return (np.dstack(planes[:channels]) if channels else planes[0] // 2 + planes[1] // 3).astype(np.uint8)


def exif(orientation: int, order: str = "<") -> bytes:
    """Return a TIFF block that holds the orientation and nothing else."""
    mark = b"II*\0" if order == "<" else b"MM\0*"
    return mark + struct.pack(f"{order}IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)


def upright(pixels: Any, orientation: int) -> Any:
    """Return what EXIF 2.32 means by the orientation, sample by sample, from its table of row 0 and column 0."""
    rows, columns = pixels.shape[:2]
    swapped = orientation > 4
    turned = np.empty((columns, rows, *pixels.shape[2:]) if swapped else pixels.shape, pixels.dtype)
    for y in range(rows):
        for x in range(columns):
            # Where the stored row 0 is on screen (top, bottom, left, right), and where the stored column 0.
            down = y if orientation in {1, 2, 5, 8} else rows - 1 - y
            right = x if orientation in {1, 4, 5, 6} else columns - 1 - x
            if swapped:
                turned[right, down] = pixels[y, x]
            else:
                turned[down, right] = pixels[y, x]
    return turned


def saved(pixels: Any, kind: str, **options: Any) -> bytes:
    """Return the file that Pillow writes."""
    buffer = io.BytesIO()
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def tiff(samples: Any, *, interpretation: int = 1, order: str = "<", extra: dict[int, int] | None = None) -> bytes:
    """Return an uncompressed TIFF of one strip by no library: gray or RGB, 8 or 16 bits."""
    rows, columns, channels = (*samples.shape, 1)[:3]
    depth = samples.dtype.itemsize * 8
    data = samples.astype(samples.dtype.newbyteorder(order)).tobytes()
    tags = {256: columns, 257: rows, 258: depth, 259: 1, 262: interpretation, 273: 8, 277: channels, 278: rows}
    tags |= {279: len(data), 339: 1, **(extra or {})}
    at_depths = 8 + len(data)
    depths = struct.pack(f"{order}{channels}H", *[depth] * channels) + b"\0" * (channels % 2 * 2)
    directory = struct.pack(f"{order}H", len(tags))
    for tag, value in sorted(tags.items()):
        long = tag in {273, 279}
        count = channels if tag in {258, 339} else 1
        if tag in {258, 339} and channels > 2:
            directory += struct.pack(f"{order}HHII", tag, 3, count, at_depths + (tag == 339) * len(depths))
        else:
            body = struct.pack(f"{order}I", value) if long else struct.pack(f"{order}HH", value, 0)
            directory += struct.pack(f"{order}HHI", tag, 4 if long else 3, count) + body
    ones = struct.pack(f"{order}{channels}H", *[1] * channels) + b"\0" * (channels % 2 * 2)
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", at_depths + len(depths) + len(ones))
    return head + data + depths + ones + directory + bytes(4)


def bmp(pixels: Any, *, top_down: bool = False) -> bytes:
    """Return a 24-bit BMP by no library."""
    rows, columns, _ = pixels.shape
    lines = [line.tobytes() + bytes(-columns * 3 % 4) for line in pixels[:, :, ::-1]]
    body = b"".join(lines if top_down else lines[::-1])
    info = struct.pack("<IiiHHIIiiII", 40, columns, -rows if top_down else rows, 1, 24, 0, len(body), 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + len(body), 0, 0, 54) + info + body


GRAY8, GRAY16, COLOR = noise(7, 9).astype(np.uint8), noise(7, 9, top=65535), noise(7, 9, 3).astype(np.uint8)
EQUAL = np.repeat(GRAY8[:, :, None], 3, axis=2)
_OPAQUE = np.dstack([COLOR, np.full((7, 9), 255, np.uint8)])
_CLEAR = np.dstack([COLOR, np.where(GRAY8 < 128, 0, 255).astype(np.uint8)])
_INDEXED = Image.fromarray(GRAY8 % 5).convert("L")
_INDEXED.putpalette(bytes([200, 0, 0, 0, 201, 0, 0, 0, 202, 9, 9, 9, 255, 254, 253]) + bytes(753))
_SHADES = np.array([[200, 0, 0], [0, 201, 0], [0, 0, 202], [9, 9, 9], [255, 254, 253]], np.uint8)
_LOSSY_WEBP = imagecodecs.webp_encode(smooth(32, 40, 3), level=90, lossless=False)

OTHERS = [
    Case(name="BMP of 24 bits", data=bmp(COLOR), pixels=COLOR, says="decoded: BMP"),
    Case(name="BMP top down", data=bmp(COLOR, top_down=True), pixels=COLOR),
    Case(name="BMP of equal channels", data=bmp(EQUAL), pixels=GRAY8, says="gray collapsed"),
    Case(name="BMP cut off", data=bmp(COLOR)[:-20], refused="can't be decoded"),
    Case(name="TIFF gray 8", data=tiff(GRAY8), pixels=GRAY8),
    Case(name="TIFF gray 8 white is zero", data=tiff(255 - GRAY8, interpretation=0), pixels=GRAY8),
    Case(name="TIFF gray 16", data=tiff(GRAY16), pixels=GRAY16),
    Case(name="TIFF gray 16 big-endian", data=tiff(GRAY16, order=">"), pixels=GRAY16),
    Case(name="TIFF gray 16 white is zero", data=tiff(65535 - GRAY16, interpretation=0), pixels=GRAY16),
    Case(name="TIFF RGB", data=tiff(COLOR, interpretation=2), pixels=COLOR),
    Case(name="TIFF RGB 16", data=tiff(noise(7, 9, 3, top=65535), interpretation=2), refused="PNG"),
    Case(name="TIFF float", data=saved(GRAY8.astype(np.float32), "TIFF"), refused="pixel type F"),
    Case(name="TIFF LZW", data=saved(COLOR, "TIFF", compression="tiff_lzw"), pixels=COLOR),
    Case(name="TIFF LZW gray 16", data=saved(GRAY16, "TIFF", compression="tiff_lzw"), pixels=GRAY16),
    Case(name="TIFF of two pages", data=saved(GRAY8, "TIFF", save_all=True, append_images=[Image.fromarray(GRAY8)]), refused="2 frames"),
    Case(name="TIFF CMYK", data=saved(Image.fromarray(COLOR).convert("CMYK"), "TIFF"), refused="--convert-cmyk"),
    Case(name="WebP lossless", data=imagecodecs.webp_encode(COLOR, lossless=True), pixels=COLOR),
    Case(name="WebP lossless opaque", data=imagecodecs.webp_encode(_OPAQUE, lossless=True), pixels=COLOR),
    Case(name="WebP lossless transparent", data=imagecodecs.webp_encode(_CLEAR, lossless=True), refused="transparent"),
    Case(name="WebP lossy", data=_LOSSY_WEBP, decoded=smooth(32, 40, 3)),
    Case(name="WebP cut off", data=_LOSSY_WEBP[:-40], refused="image.bin"),
    Case(name="RIFF that is a sound", data=b"RIFF\x24\0\0\0WAVEfmt " + bytes(20), refused="can't be decoded"),
    Case(name="GIF of one frame", data=saved(_INDEXED, "GIF"), pixels=_SHADES[GRAY8 % 5], says="palette expanded"),
    Case(name="GIF of three frames", data=saved(_INDEXED, "GIF", save_all=True, append_images=[_INDEXED.rotate(90), _INDEXED.rotate(180)]), refused="frames"),
    Case(name="GIF transparent", data=saved(_INDEXED, "GIF", transparency=4), refused="transparent"),
    Case(name="BMP of 32 bits", data=saved(_OPAQUE, "BMP"), pixels=COLOR),
    Case(name="BMP of 1 bit", data=saved(GRAY8 > 99, "BMP"), pixels=(GRAY8 > 99) * np.uint8(255)),
    Case(name="TIFF of 1 bit, group 4", data=saved(GRAY8 > 99, "TIFF", compression="group4"), pixels=(GRAY8 > 99) * np.uint8(255)),
    Case(name="TIFF RGBA opaque", data=saved(_OPAQUE, "TIFF"), pixels=COLOR, says="alpha dropped"),
    Case(name="TIFF RGBA transparent", data=saved(_CLEAR, "TIFF"), refused="transparent"),
    Case(name="TIFF of a palette", data=saved(_INDEXED, "TIFF"), pixels=_SHADES[GRAY8 % 5]),
    Case(name="TIFF of 16 bits, signed", data=tiff(GRAY16, extra={339: 2}), refused="pixel type I"),
    Case(name="TIFF without its second strip", data=tiff(COLOR, interpretation=2, extra={257: 14, 278: 7}), refused="can't be decoded"),
    Case(name="TIFF without its second and third plane", data=tiff(COLOR, interpretation=2, extra={284: 2}), refused="can't be decoded"),
    Case(name="WebP lossless with VP8 in its EXIF", data=saved(COLOR, "WEBP", lossless=True, exif=exif(1) + b"VP8 "), pixels=COLOR),
    Case(name="WebP of two frames", data=saved(COLOR, "WEBP", save_all=True, append_images=[Image.fromarray(255 - COLOR)]), refused="2 frames"),
    Case(name="a text file", data=b"PatientID,PatientName\n", refused="not an image we read"),
    Case(name="one byte", data=b"\x89", refused="not an image we read"),
]  # fmt: skip
OTHERS += [
    Case(name=f"{kind} orientation {turn}", data=data, pixels=upright(COLOR, turn))
    for turn in range(1, 9)
    for kind, data in (
        ("TIFF", tiff(COLOR, interpretation=2, extra={274: turn})),
        ("WebP", saved(COLOR, "WEBP", lossless=True, exif=exif(turn))),
    )
]
