"""What colours mean: profiles that real software ships, and light that DICOM has no place for."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image, ImageCms

import bulkdcm
from bulkdcm.images import icc
from tests.conformance import readers
from tests.streams_png_codec import chunk

COLOR = np.random.default_rng(3).integers(0, 255, (24, 32, 3)).astype(np.uint8)
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
# Of Debian's icc-profiles-free and colord-data.
SHIPPED = {
    "sRGB.icc": "SRGB",
    "compatibleWithAdobeRGB1998.icc": "ADOBERGB",
    "colord/AdobeRGB1998.icc": "ADOBERGB",
    "colord/ProPhotoRGB.icc": "",
    "colord/AppleRGB.icc": "",
    "colord/Rec709.icc": "",
    "colord/SwappedRedAndGreen.icc": "",
}
FOLDER = Path("/usr/share/color/icc")
# Display P3 as its makers describe it: primaries adapted to D50, and sRGB's curve.
P3 = {b"rXYZ": (0.51512, 0.2412, -0.00105), b"gXYZ": (0.29198, 0.69225, 0.04189), b"bXYZ": (0.1571, 0.06657, 0.78407)}


def display_p3() -> bytes:
    profile = bytearray(SRGB)
    count = int.from_bytes(profile[128:132], "big")
    for at in range(132, 132 + 12 * count, 12):
        if (values := P3.get(bytes(profile[at : at + 4]))) is not None:
            start = int.from_bytes(profile[at + 4 : at + 8], "big") + 8
            profile[start : start + 12] = struct.pack(">3i", *(round(value * 65536) for value in values))
    return bytes(profile)


def png(before: bytes = b"", **options) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(COLOR).save(buffer, "PNG", **options)
    data = buffer.getvalue()
    return data[:33] + before + data[33:]


def converted(folder, data: bytes):
    (folder / "a.img").write_bytes(data)
    names = "PatientID,PatientName,StudyDate,StudyTime,StudyID,SeriesNumber,InstanceNumber,Modality"
    (folder / "m.csv").write_text(f"source,{names}\na.img,1,A^B,20230101,101010,1,1,1,OT\n", encoding="utf-8")
    return bulkdcm.convert(folder / "m.csv", folder / "out", backend="sequential").table


@pytest.mark.parametrize("name", SHIPPED)
def test_a_profile_that_is_known_is_named_and_another_is_not(name, tmp_path):
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"{name} is not installed (Debian: icc-profiles-free, colord-data)")
    table = converted(tmp_path, png(icc_profile=path.read_bytes()))
    dataset = pydicom.dcmread(tmp_path / "out" / table["output"][0])
    assert dataset.get("ColorSpace", "") == SHIPPED[name]
    assert dataset.ICCProfile[12:16] == b"scnr"
    assert dataset.ICCProfile[128:] == path.read_bytes()[128:].ljust(len(dataset.ICCProfile) - 128, b"\0")
    assert not readers.dciodvfy(tmp_path / "out" / table["output"][0])


def test_display_p3_is_carried_and_never_called_srgb(tmp_path):
    table = converted(tmp_path, png(icc_profile=display_p3()))
    dataset = pydicom.dcmread(tmp_path / "out" / table["output"][0])
    assert "ColorSpace" not in dataset
    assert len(dataset.ICCProfile) >= len(SRGB)
    assert icc.color_space(SRGB) == "SRGB"


def test_a_jpeg_s_profile_is_named_too(tmp_path):
    buffer = io.BytesIO()
    Image.fromarray(COLOR).save(buffer, "JPEG", quality=90, icc_profile=SRGB)
    table = converted(tmp_path, buffer.getvalue())
    assert pydicom.dcmread(tmp_path / "out" / table["output"][0]).ColorSpace == "SRGB"


@pytest.mark.parametrize(
    "change",
    [
        lambda p: p[:200],
        lambda p: p.replace(b"rTRC", b"xTRC"),
        lambda p: p.replace(b"curv", b"nada").replace(b"para", b"nada"),
    ],
)
def test_a_profile_that_isn_t_whole_is_no_known_one(change):
    assert icc.color_space(change(SRGB)) == ""


@pytest.mark.parametrize(
    ("cicp", "refused"),
    [
        (b"\x01\x0d\0\1", ""),
        (b"\x0c\x0d\0\1", "Display P3"),
        (b"\x09\x0d\0\1", "BT.2020"),
        (b"\x09\x10\0\1", "PQ, high dynamic range"),
        (b"\x01\x12\0\1", "HLG, high dynamic range"),
    ],
)
def test_light_without_a_place_is_refused_not_mislabelled(cicp, refused, tmp_path):
    table = converted(tmp_path, png(chunk(b"cICP", cicp)))
    assert table["status"][0] == ("failed" if refused else "converted")
    if refused:
        assert refused in table["message"][0]


def test_wide_primaries_that_a_profile_describes_are_carried(tmp_path):
    table = converted(tmp_path, png(chunk(b"cICP", b"\x0c\x0d\0\1"), icc_profile=display_p3()))
    assert table["status"][0] == "converted"
    assert "ICC profile carried" in table["decisions"][0]


def test_a_cmyk_image_s_profile_goes_with_its_inks(tmp_path):
    found = [path for path in FOLDER.rglob("*.[iI][cC][cC]") if path.read_bytes()[16:20] == b"CMYK"]
    if not found:
        pytest.skip("no CMYK profile is installed (Debian: libgs-common)")
    buffer = io.BytesIO()
    Image.fromarray(COLOR).convert("CMYK").save(buffer, "JPEG", quality=90, icc_profile=found[0].read_bytes())
    (tmp_path / "a.img").write_bytes(buffer.getvalue())
    (tmp_path / "m.csv").write_text("source,PatientID,InstanceNumber,Modality\na.img,1,1,OT\n", encoding="utf-8")
    refused = bulkdcm.convert(tmp_path / "m.csv", tmp_path / "refused", backend="sequential").table
    assert "CMYK JPEG has no place in DICOM" in refused["message"][0]
    bulkdcm.convert(tmp_path / "m.csv", tmp_path / "out", backend="sequential", convert_cmyk=True)
    dataset = pydicom.dcmread(tmp_path / "out" / "a.dcm")
    assert dataset.PhotometricInterpretation == "RGB"
    assert "ICCProfile" not in dataset
    assert "ColorSpace" not in dataset
