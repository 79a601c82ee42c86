"""Sizes of pixels: rows first, turned with the pixels, and a ratio if that is all that a file tells."""

from __future__ import annotations

import csv
import io
import struct

import imagecodecs
import numpy as np
import pydicom
import pytest
import SimpleITK
import tifffile
from PIL import Image

import bulkdcm
from bulkdcm.images import jpeg_transcode
from tests.conformance import cases, readers
from tests.streams_png_codec import chunk

GRAY = np.random.default_rng(4).integers(0, 255, (24, 32)).astype(np.uint8)
COMMON = "PatientID,PatientName,StudyDate,StudyTime,StudyID,SeriesNumber,InstanceNumber,Modality"
VALUES = "1,A^B,20230101,101010,1,1,1,OT"


def png(across: int, down: int, unit: int = 0, orientation: int = 1) -> bytes:
    data = bytes(imagecodecs.png_encode(GRAY))
    beside = chunk(b"pHYs", struct.pack(">IIB", across, down, unit))
    if orientation != 1:
        exif = Image.Exif()
        exif[0x0112] = orientation
        beside += chunk(b"eXIf", exif.tobytes()[6:])
    return data[:33] + beside + data[33:]


def jpeg(across: int, down: int, unit: int = 0, orientation: int = 1, *, progressive: bool = False) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    buffer = io.BytesIO()
    Image.fromarray(GRAY).save(
        buffer, "JPEG", quality=90, exif=exif if orientation != 1 else b"", progressive=progressive
    )
    data = bytearray(buffer.getvalue())
    at = data.index(b"JFIF\0") + 7
    data[at : at + 5] = struct.pack(">BHH", unit, across, down)
    return bytes(data)


def exif_jpeg(across: int, down: int) -> bytes:
    exif = Image.Exif()
    exif[0x011A], exif[0x011B], exif[0x0128] = float(across), float(down), 2
    buffer = io.BytesIO()
    Image.fromarray(GRAY).save(buffer, "JPEG", quality=90, exif=exif)
    data = buffer.getvalue()
    start = data.index(b"\xff\xe0")
    return data[:start] + data[start + 2 + int.from_bytes(data[start + 2 : start + 4], "big") :]


def tiff(across: int, down: int) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, GRAY, resolution=(across, down), resolutionunit="INCH")
    return buffer.getvalue()


def in_words(tag: int) -> bytes:
    """Return a TIFF one of whose resolutions is a text."""
    data = tiff(150, 300)
    at = data.index(struct.pack("<HHI", tag, 5, 1))
    return data[:at] + struct.pack("<HHI4s", tag, 2, 4, b"abc") + data[at + 12 :]


def converted(folder, data: bytes, header: str = "", values: str = "", **options):
    (folder / "a.img").write_bytes(data)
    (folder / "m.csv").write_text(f"source,{COMMON}{header}\na.img,{VALUES}{values}\n", encoding="utf-8")
    table = bulkdcm.convert(folder / "m.csv", folder / "out", backend="sequential", **options).table
    assert table["status"][0] == "converted", table["message"][0]
    return table["decisions"].fillna("")[0], folder / "out" / table["output"][0]


@pytest.mark.parametrize(
    ("data", "ratio"),
    [
        (png(1, 2), [1, 2]),
        (png(4000, 2000, 1), [2, 1]),
        (png(2835, 2835, 1), None),
        (png(0, 5), None),
        (png(1, 2, 0, 3), [1, 2]),
        (png(1, 2, 0, 6), [2, 1]),
        (png(2**32 - 1, 2**31), [2, 1]),
        (jpeg(1, 2), [1, 2]),
        (jpeg(300, 150, 1), [2, 1]),
        (jpeg(1, 1), None),
        (jpeg(1, 2, 0, 6), [2, 1]),
        (jpeg(3, 2, progressive=True), [3, 2]),
        (exif_jpeg(200, 100), [2, 1]),
        (tiff(150, 300), [1, 2]),
        (tiff(300, 300), None),
        (in_words(282), None),
        (in_words(283), None),
    ],
    ids=[
        "PNG",
        "PNG in metres",
        "PNG square",
        "PNG of nothing",
        "PNG upside down",
        "PNG turned",
        "PNG of large numbers",
        "JFIF",
        "JFIF in inches",
        "JFIF square",
        "JFIF turned",
        "JFIF progressive",
        "EXIF",
        "TIFF",
        "TIFF square",
        "TIFF across in words",
        "TIFF down in words",
    ],
)
def test_pixels_that_are_not_square_say_so_vertical_first(data, ratio, tmp_path):
    readers.need("dciodvfy")
    decisions, path = converted(tmp_path, data)
    dataset = pydicom.dcmread(path)
    assert dataset.get("PixelAspectRatio") == ratio
    assert ("by the file's density" in decisions) == (ratio is not None)
    assert not readers.dciodvfy(path)
    assert not readers.dciodvfy_new(path)


@pytest.mark.parametrize(
    ("header", "value"),
    [("PixelSpacing", "0.2\\0.1"), ("NominalScannedPixelSpacing", "0.2\\0.1"), ("PixelAspectRatio", "3\\1")],
)
def test_a_spacing_or_ratio_of_the_row_stays_alone(header, value, tmp_path):
    decisions, path = converted(tmp_path, png(1, 2), f",{header}", f",{value}")
    dataset = pydicom.dcmread(path)
    assert dataset[header].value == [float(part) for part in value.split("\\")]
    assert "by the file's density" not in decisions
    assert ("PixelAspectRatio" in dataset) == (header == "PixelAspectRatio")


def test_a_transcoded_jpeg_has_the_ratio_of_what_it_was(tmp_path):
    if jpeg_transcode._library() is None:
        pytest.skip("libturbojpeg is not installed")
    _, path = converted(tmp_path, jpeg(1, 2, 0, 6), jpeg="transcode")
    assert pydicom.dcmread(path).PixelAspectRatio == [2, 1]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_drafted_spacing_is_turned_with_the_pixels(orientation, bulkdcm_command, tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.png").write_bytes(png(10_000, 5_000, 1, orientation))
    done = bulkdcm_command("init", tmp_path / "images", "--out", tmp_path / "m.csv", "--with", "density")
    assert done.returncode == 0, done.stderr
    spacing = "0.1\\0.2" if orientation > 4 else "0.2\\0.1"
    assert spacing in (tmp_path / "m.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("alias", "attribute"),
    [
        ("SC", "NominalScannedPixelSpacing"),
        ("CR", "ImagerPixelSpacing"),
        ("DX", "ImagerPixelSpacing"),
        ("CT", "PixelSpacing"),
    ],
)
def test_itk_s_idea_of_the_spacing_is_the_truth_on_both_axes(alias, attribute, tmp_path):
    """GDCM, by which ITK reads, gives x before y; DICOM has the distance of rows, which is along y, first."""
    readers.need("gdcminfo")
    own = {**cases.COMMON, **cases.COMPLETE[alias], "InstanceNumber": "1", "sop_class": alias, attribute: "0.2\\0.1"}
    data = png(1, 1) if alias != "CT" else bytes(imagecodecs.png_encode(GRAY.astype(np.uint16) * 16))
    (tmp_path / "a.img").write_bytes(data)
    lines = [",".join(["source", *own]), ",".join(["a.img", *own.values()])]
    (tmp_path / "m.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    table = bulkdcm.convert(tmp_path / "m.csv", tmp_path / "out", backend="sequential").table
    assert table["status"][0] == "converted", table["message"][0]
    path = tmp_path / "out" / "a.dcm"
    assert "Spacing: (0.1,0.2,1)" in readers.run("gdcminfo", path).stdout
    assert SimpleITK.ReadImage(str(path)).GetSpacing()[:2] == pytest.approx((0.1, 0.2))


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_itk_s_spacing_is_the_truth_of_a_drafted_image_that_is_turned_and_not_square(
    orientation, bulkdcm_command, tmp_path
):
    """Ten pixels a millimetre across and five down; what is turned lies the other way."""
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.png").write_bytes(png(10_000, 5_000, 1, orientation))
    done = bulkdcm_command("init", tmp_path / "images", "--out", tmp_path / "m.csv", "--with", "density")
    assert done.returncode == 0, done.stderr
    bulkdcm.convert(tmp_path / "m.csv", tmp_path / "out", images=tmp_path / "images", backend="sequential")
    image = SimpleITK.ReadImage(str(tmp_path / "out" / "a.dcm"))
    turned = orientation > 4
    assert image.GetSpacing()[:2] == pytest.approx((0.2, 0.1) if turned else (0.1, 0.2))
    assert image.GetSize()[:2] == ((24, 32) if turned else (32, 24))


@pytest.mark.parametrize(
    ("options", "attribute"),
    [
        ((), "NominalScannedPixelSpacing"),
        (("--set", "sop_class=CR"), "ImagerPixelSpacing"),
        (("--set", "sop_class=XC"), "PixelSpacing"),
        (("--set", "sop_class=SC-BYTE", "--set", "BurnedInAnnotation=NO"), ""),
        (
            ("--set", "sop_class=SC-BYTE", "--set", "BurnedInAnnotation=NO", "--set", "ConversionType=DF"),
            "NominalScannedPixelSpacing",
        ),
    ],
)
def test_a_drafted_spacing_is_the_attribute_of_the_class(options, attribute, bulkdcm_command, tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.png").write_bytes(png(10_000, 5_000, 1))
    done = bulkdcm_command("init", tmp_path / "images", "--out", tmp_path / "m.csv", "--with", "density", *options)
    assert done.returncode == 0, done.stderr
    with (tmp_path / "m.csv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    found = {name: text for name, text in row.items() if name.endswith("Spacing") and text}
    assert found == ({attribute: "0.2\\0.1"} if attribute else {})
