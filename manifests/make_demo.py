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


def eight(plane: Plane) -> Samples:
    """Return intensities from 0 to 1 as 8-bit samples."""
    return np.round(plane * 255).astype(np.uint8)


def encode_png(samples: Samples, *, interlaced: bool = False) -> bytes:
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


def png(plane: Plane) -> bytes:
    """Return a PNG of 8 bits, gray or RGB."""
    return encode_png(eight(plane))


def deep_png(plane: Plane, *, interlaced: bool = False) -> bytes:
    """Return a PNG of 16 bits, gray or RGB."""
    return encode_png(np.round(plane * 65535).astype(np.uint16), interlaced=interlaced)


def opaque_png(plane: Plane) -> bytes:
    """Return a PNG of 8 bits with an alpha channel that hides nothing."""
    channels = eight(plane).reshape(*plane.shape[:2], -1)
    return encode_png(np.concatenate([channels, np.full_like(channels[:, :, :1], 255)], axis=2))


def gray_as_rgb(plane: Plane) -> bytes:
    """Return a gray picture as an RGB PNG, as many exports write radiographs."""
    return encode_png(eight(plane)[:, :, None].repeat(3, axis=2))


def cut_off(plane: Plane) -> bytes:
    """Return two thirds of a PNG, as a broken download leaves it."""
    whole = png(plane)
    return whole[: len(whole) * 2 // 3]


def saved(image: Image.Image, file_format: str, **options: Any) -> bytes:
    """Return the image as Pillow writes it, with the options of its writer."""
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def one_bit(plane: Plane) -> bytes:
    """Return a PNG of black and white dots."""
    return saved(Image.fromarray(eight(plane)).convert("1"), "PNG")


def palette(plane: Plane) -> bytes:
    """Return a PNG of 64 colours."""
    return saved(Image.fromarray(eight(plane)).quantize(64, dither=Image.Dither.NONE), "PNG")


def jpeg(plane: Plane, **options: Any) -> bytes:
    """Return a JPEG; the options are Pillow's (subsampling, progressive, exif)."""
    return saved(Image.fromarray(eight(plane)), "JPEG", quality=90, **options)


def turned_jpeg(plane: Plane) -> bytes:
    """Return a JPEG as a camera held upright writes it: lying, with an EXIF orientation that says so."""
    exif = Image.Exif()
    exif[_ORIENTATION] = 6  # turn clockwise to view
    return jpeg(np.ascontiguousarray(np.rot90(plane)), subsampling="4:2:0", exif=exif)


def lossless(plane: Plane, *, file_format: str, **options: Any) -> bytes:
    """Return a BMP, TIFF, WebP or GIF without loss."""
    return saved(Image.fromarray(eight(plane)), file_format, **options)


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


class Series(NamedTuple):
    """The columns that all rows of a series share."""

    sop_class: str
    SeriesNumber: str
    SeriesDescription: str
    Modality: str
    BodyPartExamined: str
    ImageLaterality: str = ""
    AnatomicRegionSequence: str = ""


class Picture(NamedTuple):
    """One image, how it is made, and the row's own columns."""

    source: str
    draw: Callable[..., Plane]
    size: tuple[int, int]
    """Rows and columns as drawn."""
    encode: Callable[[Plane], bytes]
    study: Study
    series: Series
    InstanceNumber: str
    PatientOrientation: str = ""


_ZHANG = ("00123", "张^三", "M", "19610304")
_YAMADA = ("00125", "Yamada^Tarou=山田^太郎=やまだ^たろう", "M", "19750211")
_KIM = ("00126", "Kim^Minseo=金^珉序=김^민서", "F", "19930530")
CHEST = Study(*_ZHANG, "20230726", "101500", "1", "A230726-01", "Chest, two views")
CHEST_LATER = Study(*_ZHANG, "20240115", "084000", "2", "A240115-07", "Chest, follow-up")
HAND = Study("00124", "Müller^Jörg", "M", "19880917", "20230727", "143000", "1", "A230727-04", "Left hand")
HEAD = Study(*_YAMADA, "20230801", "091500", "1", "A230801-02", "Head")
LIVER = Study(*_KIM, "20230802", "110000", "1", "A230802-03", "Liver")
SKIN = Study("00127", "الحسن^ليلى", "F", "20010108", "20230803", "153000", "1", "A230803-05", "Right forearm")
STOMACH = Study("00128", "Nováková^Žofie", "F", "19561122", "20230804", "073000", "1", "A230804-01", "Gastroscopy")
SMEAR = Study("00129", "Nguyễn^Thị Hoa", "", "", "20230807", "130000", "1", "", "Smear, stained")

FRONTAL = Series("CR", "1", "Frontal", "CR", "CHEST")
LATERAL = Series("CR", "2", "Lateral", "CR", "CHEST")
PALM_DOWN = Series("CR", "1", "Palm down", "CR", "HAND", "L")
COPIES = Series("", "2", "Copies", "CR", "HAND", "L")
SLICES = Series("", "1", "Axial slices", "CT", "HEAD")
FAN = Series("US", "1", "B mode and flow", "US", "LIVER")
PHOTOS = Series("XC", "1", "Photographs", "", "", "R", "14975008^SCT^Forearm")
SCOPE = Series("ES", "1", "Stomach", "", "STOMACH", "", "69695003^SCT^Stomach")
SLIDE = Series("GM", "1", "Cells", "", "")
DEEP_SLIDE = Series("", "2", "Cells, 16 bits", "GM", "")

lateral_chest = partial(scenes.chest, lateral=True)
lower_slice = partial(scenes.head_slice, scale=0.85)
pale_fold = partial(scenes.endoscopy, hue=0.42)
many_cells = partial(scenes.cells, count=60)
adam7 = partial(deep_png, interlaced=True)
jpeg_420, jpeg_444 = partial(jpeg, subsampling="4:2:0"), partial(jpeg, subsampling="4:4:4")
progressive = partial(jpeg, subsampling="4:2:0", progressive=True)
gif, bmp = partial(lossless, file_format="GIF"), partial(lossless, file_format="BMP")
tiff = partial(lossless, file_format="TIFF", compression="tiff_adobe_deflate")
webp = partial(lossless, file_format="WEBP", lossless=True)

PICTURES = (
    Picture("chest/frontal.png", scenes.chest, (201, 181), png, CHEST, FRONTAL, "1", "L\\F"),
    Picture("chest/lateral.jpg", lateral_chest, (200, 160), jpeg, CHEST, LATERAL, "1", "A\\F"),
    Picture("chest/follow_up.png", scenes.chest, (160, 144), deep_png, CHEST_LATER, FRONTAL, "1", "L\\F"),
    Picture("broken/cut_off.png", lateral_chest, (160, 144), cut_off, CHEST_LATER, LATERAL, "1", "A\\F"),
    Picture("hand/palm_down.png", scenes.hand, (192, 150), gray_as_rgb, HAND, PALM_DOWN, "1"),
    Picture("hand/with_alpha.png", scenes.hand, (150, 121), opaque_png, HAND, COPIES, "1"),
    Picture("hand/print.png", scenes.hand, (192, 150), one_bit, HAND, COPIES, "2"),
    Picture("head/slice_1.png", scenes.head_slice, (128, 128), deep_png, HEAD, SLICES, "1", "L\\P"),
    Picture("head/slice_2.png", lower_slice, (128, 128), adam7, HEAD, SLICES, "2", "L\\P"),
    Picture("liver/b_mode.gif", scenes.ultrasound, (150, 181), gif, LIVER, FAN, "1"),
    Picture("liver/flow.jpg", scenes.flow, (180, 220), jpeg_420, LIVER, FAN, "2"),
    Picture("skin/overview.jpg", scenes.forearm, (240, 160), turned_jpeg, SKIN, PHOTOS, "1"),
    Picture("skin/close_up.jpg", scenes.lesion, (171, 201), jpeg_444, SKIN, PHOTOS, "2"),
    Picture("skin/border.tif", scenes.lesion, (96, 112), tiff, SKIN, PHOTOS, "3"),
    Picture("stomach/fundus.png", scenes.endoscopy, (113, 113), opaque_png, STOMACH, SCOPE, "1"),
    Picture("stomach/antrum.jpg", pale_fold, (192, 192), progressive, STOMACH, SCOPE, "2"),
    Picture("stomach/pylorus.bmp", pale_fold, (96, 97), bmp, STOMACH, SCOPE, "3"),
    Picture("smear/field_1.png", scenes.cells, (120, 120), png, SMEAR, SLIDE, "1"),
    Picture("smear/field_2.png", many_cells, (160, 160), palette, SMEAR, SLIDE, "2"),
    Picture("smear/field_3.webp", many_cells, (120, 120), webp, SMEAR, SLIDE, "3"),
    Picture("smear/field_4.png", scenes.cells, (100, 100), deep_png, SMEAR, DEEP_SLIDE, "1"),
)
COLUMNS = ("source", "sop_class", *Study._fields, *Series._fields[1:], "InstanceNumber", "PatientOrientation")


def cells_of(picture: Picture) -> dict[str, str]:
    """Return the manifest row of a picture, by column."""
    return {
        **picture.study._asdict(),
        **picture.series._asdict(),
        "source": f"images/{picture.source}",
        "InstanceNumber": picture.InstanceNumber,
        "PatientOrientation": picture.PatientOrientation,
    }


def make(folder: Path) -> None:
    """Write the images and ``manifest.csv`` to `folder`."""
    for picture in PICTURES:
        # Seeded by the picture's own name, so that a new one leaves the others as they are.
        rng = np.random.default_rng(zlib.crc32(picture.source.encode()))
        path = folder / "images" / picture.source
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(picture.encode(picture.draw(rng, *picture.size)))
    with (folder / "manifest.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(cells_of(picture) for picture in PICTURES)


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "demo")
