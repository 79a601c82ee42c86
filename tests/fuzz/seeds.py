"""Small good files of each format, which mutants are made of."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

import imagecodecs
import numpy as np
from PIL import Image

import bulkdcm
from tests.streams import noise, saved, smooth, tiff
from tests.streams_jpeg import ARITHMETIC, ARITHMETIC_PROGRESSIVE, DEEP, jpeg, rgb
from tests.streams_png import KINDS, png

GRAY, COLOR = smooth(40, 48), smooth(40, 48, 3)
UNEVEN = np.where(np.arange(40)[:, None] < 20, GRAY, noise(40, 48)).astype(np.uint8)
_CLEAR = Image.fromarray(COLOR).convert("P", palette=Image.Palette.ADAPTIVE, colors=16)


def _frames(kind: str, **options: object) -> bytes:
    more = [Image.fromarray(np.roll(COLOR, 5 * n, axis=0)) for n in (1, 2)]
    return saved(COLOR, kind, save_all=True, append_images=more, **options)


def _bmp(mode: str) -> bytes:
    return saved(Image.fromarray(COLOR).convert(mode), "BMP")


def _gif_interlaced() -> bytes:
    buffer = io.BytesIO()
    _CLEAR.save(buffer, "GIF", interlace=1)
    return buffer.getvalue()


def _dicom() -> list[bytes]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lines = ["source,PatientID,PatientName,StudyDate,StudyTime,StudyID,SeriesNumber,InstanceNumber"]
        for number, (suffix, pixels) in enumerate((("png", UNEVEN), ("jpg", COLOR), ("png", COLOR))):
            Image.fromarray(pixels).save(folder / f"{number}.{suffix}")
            lines.append(f"{number}.{suffix},1,A^B,20230102,101112,1,1,{number}")
        (folder / "m.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        bulkdcm.convert(folder / "m.csv", folder / "out", backend="sequential")
        bulkdcm.convert(folder / "m.csv", folder / "rle", backend="sequential", transfer_syntax="rle")
        return [path.read_bytes() for path in sorted(folder.glob("*/*.dcm"))]


def seeds(kind: str) -> list[bytes]:
    """Return the good files of a format.

    Parameters
    ----------
    kind
        One of `FORMATS`.
    """
    return FORMATS[kind]()  # made when asked for: the DICOM files take a run


FORMATS = {
    "png": lambda: (
        [png(*key, 13, 11, interlace=turn)[0] for key in KINDS for turn in (False, True)]
        + [saved(UNEVEN, "PNG"), _frames("PNG")]
    ),
    "jpeg": lambda: [
        jpeg(UNEVEN),
        jpeg(COLOR, subsampling="420"),
        jpeg(COLOR, subsampling="444"),
        rgb(COLOR),
        saved(UNEVEN, "JPEG", restart_marker_blocks=3),
        DEEP,
    ],
    "jpeg-progressive": lambda: [
        saved(UNEVEN, "JPEG", progressive=True),
        saved(COLOR, "JPEG", progressive=True),
        ARITHMETIC,
        ARITHMETIC_PROGRESSIVE,
    ],
    "jpeg-lossless": lambda: [
        jpeg(UNEVEN, lossless=True, predictor=1),
        jpeg(UNEVEN.astype(np.uint16) * 200, lossless=True, predictor=4, bitspersample=16),
        rgb(COLOR, lossless=True, predictor=1),
    ],
    "jpeg-ls": lambda: [imagecodecs.jpegls_encode(UNEVEN), imagecodecs.jpegls_encode(COLOR)],
    "gif": lambda: [saved(_CLEAR, "GIF"), _gif_interlaced(), saved(UNEVEN, "GIF"), _frames("GIF")],
    "tiff": lambda: [
        tiff(UNEVEN),
        tiff(noise(20, 24, top=65535)),
        *(
            saved(pixels, "TIFF", compression=name)
            for name in ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg")
            for pixels in (UNEVEN, COLOR)
        ),
        saved(UNEVEN > 99, "TIFF", compression="group4"),
        _frames("TIFF", compression="tiff_lzw"),
    ],
    "webp": lambda: [
        imagecodecs.webp_encode(COLOR, level=80, lossless=False),
        imagecodecs.webp_encode(COLOR, lossless=True),
        saved(COLOR, "WEBP", lossless=True, exif=b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0"),
        _frames("WEBP"),
    ],
    "bmp": lambda: [_bmp(mode) for mode in ("1", "L", "P", "RGB", "RGBA")],
    "dicom": _dicom,
}
