"""Make the demo: its images and its manifest, the same bytes each time.

Run ``python manifests/make_demo.py``, or name another folder to write to. The images cover the pixel modes that
bulkdcm reads; one of them is cut off on purpose.
"""

from __future__ import annotations

import csv
import io
import sys
import zlib
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import demo_scenes as scenes
import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    Plane = npt.NDArray[np.float64]
    Samples = npt.NDArray[Any]

_ORIENTATION = 0x0112
# First row, first column and steps of the seven passes of Adam7 (PNG 8.2).
_ADAM7 = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
_COLOR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
_FOREARM = "14975008^SCT^Forearm"
_STOMACH = "69695003^SCT^Stomach"


def eight(plane: Plane) -> Samples:
    """Return intensities from 0 to 1 as 8-bit samples."""
    return np.round(plane * 255).astype(np.uint8)


def sixteen(plane: Plane) -> Samples:
    """Return intensities from 0 to 1 as 16-bit samples."""
    return np.round(plane * 65535).astype(np.uint16)


def opaque(samples: Samples) -> Samples:
    """Return the samples with an alpha channel that hides nothing."""
    channels = samples.reshape(*samples.shape[:2], -1)
    return np.concatenate([channels, np.full_like(channels[:, :, :1], np.iinfo(samples.dtype).max)], axis=2)


def png(samples: Samples, *, interlaced: bool = False) -> bytes:
    """Return a PNG of 8 or 16 bits; Pillow can't write 16-bit colour.

    Parameters
    ----------
    samples
        Shape ``(rows, columns)`` or ``(rows, columns, samples)``, uint8 or uint16.
    interlaced
        Whether its rows come in the seven passes of Adam7.
    """
    rows, columns, count = (*samples.shape, 1)[:3]
    big_endian = samples.reshape(rows, columns, count).astype(samples.dtype.newbyteorder(">"))
    passes = _ADAM7 if interlaced else ((0, 0, 1, 1),)
    # Each row begins with its filter, 0: none.
    lines = [b"\0" + line.tobytes() for r, c, down, right in passes for line in big_endian[r::down, c::right]]
    header = bytes((8 * samples.dtype.itemsize, _COLOR_TYPES[count], 0, 0, int(interlaced)))
    chunks = (
        (b"IHDR", columns.to_bytes(4, "big") + rows.to_bytes(4, "big") + header),
        (b"IDAT", zlib.compress(b"".join(lines), 9)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big") for kind, data in chunks
    )


def one_bit(plane: Plane) -> bytes:
    """Return a PNG of black and white: the bones, by a threshold."""
    return saved(eight(plane), "PNG", mode="1")


def palette(plane: Plane) -> bytes:
    """Return a PNG of 64 colours."""
    return saved(eight(plane), "PNG", colors=64)


def saved(samples: Samples, file_format: str, *, mode: str = "", colors: int = 0, **options: Any) -> bytes:
    """Return the samples as Pillow writes them.

    Parameters
    ----------
    samples
        8-bit gray or RGB.
    file_format
        Pillow's name of it.
    mode
        Mode to convert to, without dither.
    colors
        How many colours to reduce to; 0 keeps them all.
    options
        Of Pillow's writer for that format.
    """
    image = Image.fromarray(samples)
    if mode:
        image = image.convert(mode, dither=Image.Dither.NONE)
    if colors:
        image = image.quantize(colors, dither=Image.Dither.NONE)
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def jpeg(plane: Plane, *, subsampling: str = "4:2:0", **options: Any) -> bytes:
    """Return a JPEG; gray ones have nothing to subsample."""
    if plane.ndim == 3:
        options["subsampling"] = subsampling
    return saved(eight(plane), "JPEG", quality=90, **options)


def turned_jpeg(plane: Plane) -> bytes:
    """Return a JPEG as a camera held upright writes it: lying, with an EXIF orientation that says so."""
    exif = Image.Exif()
    exif[_ORIENTATION] = 6  # turn clockwise to view
    return jpeg(np.ascontiguousarray(np.rot90(plane)), exif=exif)


class Study(NamedTuple):
    """The columns that all rows of a study share."""

    PatientID: str
    PatientName: str
    PatientSex: str
    PatientBirthDate: str
    StudyDate: str
    StudyTime: str
    StudyID: str
    AccessionNumber: str
    StudyDescription: str


class Picture(NamedTuple):
    """One image, how it is made, and the columns of its row."""

    source: str
    draw: Callable[..., Plane]
    rows: int
    columns: int
    encode: Callable[[Plane], bytes]
    sop_class: str
    study: Study
    SeriesNumber: int
    InstanceNumber: int
    SeriesDescription: str
    Modality: str = ""
    BodyPartExamined: str = ""
    ImageLaterality: str = ""
    PatientOrientation: str = ""
    AnatomicRegionSequence: str = ""


_ZHANG = ("00123", "張^三", "M", "19610304")
CHEST = Study(*_ZHANG, "20230726", "101500", "1", "A230726-01", "Chest, two views")
CHEST_LATER = Study(*_ZHANG, "20240115", "084000", "2", "A240115-07", "Chest, follow-up")
HAND = Study("00124", "Müller^Jörg", "M", "19880917", "20230727", "143000", "1", "A230727-04", "Left hand")
HEAD = Study(
    "00125", "Yamada^Tarou=山田^太郎=やまだ^たろう", "M", "19750211", "20230801", "091500", "1", "A230801-02", "Head"
)
LIVER = Study(
    "00126", "Kim^Minseo=金^珉序=김^민서", "F", "19930530", "20230802", "110000", "1", "A230802-03", "Liver"
)
SKIN = Study("00127", "الحسن^ليلى", "F", "20010108", "20230803", "153000", "1", "A230803-05", "Right forearm")
STOMACH = Study("00128", "Nováková^Žofie", "F", "19561122", "20230804", "073000", "1", "A230804-01", "Gastroscopy")
SMEAR = Study("00129", "Nguyễn^Thị Hoa", "F", "", "20230807", "130000", "1", "", "Smear, débris and cells")

_LATERAL = partial(scenes.chest, lateral=True)
_SMALLER = partial(scenes.head_slice, scale=0.85)
_PALE = partial(scenes.endoscopy, hue=0.42)
_DENSE = partial(scenes.cells, count=60)


def gray_png(plane: Plane) -> bytes:
    """Return a PNG of 8-bit gray, or 8-bit RGB for colour."""
    return png(eight(plane))


def deep_png(plane: Plane, *, interlaced: bool = False) -> bytes:
    """Return a PNG of 16 bits."""
    return png(sixteen(plane), interlaced=interlaced)


def equal_channels(plane: Plane) -> bytes:
    """Return a gray picture as an RGB PNG, as many exports write radiographs."""
    return png(eight(plane)[:, :, None].repeat(3, axis=2))


def opaque_png(plane: Plane) -> bytes:
    """Return a PNG of 8 bits with an alpha channel that hides nothing."""
    return png(opaque(eight(plane)))


def cut_off(plane: Plane) -> bytes:
    """Return two thirds of a PNG, as a broken download leaves it."""
    whole = gray_png(plane)
    return whole[: len(whole) * 2 // 3]


def tiff(plane: Plane) -> bytes:
    """Return a TIFF, compressed without loss."""
    return saved(eight(plane), "TIFF", compression="tiff_adobe_deflate")


_REPEATED = dict.fromkeys(("CR", "HAND"), "")
# fmt: off
PICTURES = (
    Picture("chest/frontal.png", scenes.chest, 201, 181, gray_png, "CR", CHEST, 1, 1, "Frontal", "CR", "CHEST", "", "L\\F"),
    Picture("chest/lateral.jpg", _LATERAL, 200, 160, jpeg, "CR", CHEST, 2, 1, "Lateral", "CR", "CHEST", "", "A\\F"),
    Picture("chest/follow_up.png", scenes.chest, 160, 144, deep_png, "CR", CHEST_LATER, 1, 1, "Frontal", "CR", "CHEST", "", "L\\F"),
    Picture("hand/radiograph.png", scenes.hand, 192, 150, equal_channels, "CR", HAND, 1, 1, "Palm down", "CR", "HAND", "L"),
    Picture("hand/copy.png", scenes.hand, 150, 121, opaque_png, "", HAND, 2, 1, "Copy with alpha", "CR", "HAND", "L"),
    Picture("hand/bones.png", scenes.hand, 192, 150, one_bit, "", HAND, 2, 2, "Copy with alpha", "CR", "HAND", "L"),
    Picture("head/slice_1.png", scenes.head_slice, 144, 144, deep_png, "", HEAD, 1, 1, "Axial", "CT", "HEAD", "", "L\\P"),
    Picture("head/slice_2.png", _SMALLER, 144, 144, partial(deep_png, interlaced=True), "", HEAD, 1, 2, "Axial", "CT", "HEAD", "", "L\\P"),
    Picture("liver/b_mode.jpg", scenes.ultrasound, 180, 220, jpeg, "US", LIVER, 1, 1, "B mode", "US", "LIVER"),
    Picture("liver/b_mode.gif", scenes.ultrasound, 150, 181, partial(saved), "US", LIVER, 1, 2, "B mode", "US", "LIVER"),
    Picture("liver/flow.jpg", scenes.flow, 180, 220, jpeg, "US", LIVER, 1, 3, "Flow", "US", "LIVER"),
)
# fmt: on
