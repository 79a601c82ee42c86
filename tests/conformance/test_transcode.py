"""A JPEG that DICOM has no place for becomes a baseline stream with the same coefficients, and no other loss."""

from __future__ import annotations

import ctypes
import io
import subprocess
from typing import TYPE_CHECKING

import jpeglib
import numpy as np
import pydicom
import pytest
from PIL import Image, ImageCms
from pydicom.encaps import generate_frames

import bulkdcm
from bulkdcm.images import jpeg_stream, jpeg_transcode
from tests.conformance import readers

if TYPE_CHECKING:
    from pathlib import Path

PROGRESSIVE = 32
SHAPES = {"gray": (48, 64), "4:4:4": (48, 64, 3), "4:2:0": (48, 64, 3), "4:2:2": (48, 64, 3)}
ODD = {name: (37, 51, *shape[2:]) for name, shape in SHAPES.items()}
ICC = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.fixture(autouse=True)
def _library():
    if jpeg_transcode._library() is None:
        pytest.skip("libturbojpeg is not installed (Debian: libturbojpeg0)")


def baseline(name: str, shape: tuple[int, ...], orientation: int = 1, **options) -> bytes:
    """Return a baseline JPEG with structure in each of its channels."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    planes = [120 + 60 * np.sin(x / (5 + c)) + 50 * np.cos(y / (7 - c)) for c in range(3)]
    pixels = np.stack(planes, axis=-1) if len(shape) == 3 else planes[0]
    if orientation != 1:
        exif = Image.Exif()
        exif[0x0112] = orientation
        options["exif"] = exif
    if len(shape) == 3 and not options.get("keep_rgb"):
        options["subsampling"] = name
    buffer = io.BytesIO()
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(buffer, "JPEG", quality=88, **options)
    return buffer.getvalue()


def turned_by_library(data: bytes, options: int, operation: int = 0) -> bytes:
    """Return a stream as TurboJPEG transforms it: progressive, arithmetic, or turned."""
    calls = jpeg_transcode._library().calls
    handle, out, size = calls.tjInitTransform(), ctypes.c_void_p(None), ctypes.c_ulong(0)
    wanted = jpeg_transcode._Transform(jpeg_transcode._Region(0, 0, 0, 0), operation, options, None, None)
    assert not calls.tjTransform(
        handle, data, len(data), 1, ctypes.byref(out), ctypes.byref(size), ctypes.byref(wanted), 0
    ), calls.tjGetErrorStr2(handle)
    return ctypes.string_at(out.value, size.value)


def by_jpegtran(data: bytes, options: list[str]) -> bytes:
    return subprocess.run(["jpegtran", "-copy", "all", *options], input=data, capture_output=True, check=True).stdout


def coefficients(data: bytes, folder: Path) -> list[np.ndarray]:
    """Return the quantised coefficients of each component, as libjpeg 6b reads them."""
    path = folder / "coefficients.jpg"
    path.write_bytes(data)
    image = jpeglib.read_dct(str(path))
    return [part for part in (image.Y, image.Cb, image.Cr) if part is not None]


def converted(folder: Path, images: dict[str, bytes], sop_class: str = "SC", **options):
    folder.mkdir(exist_ok=True)
    lines = ["source,PatientID,InstanceNumber,sop_class,Modality"]
    for number, (name, data) in enumerate(images.items(), start=1):
        (folder / name).write_bytes(data)
        lines.append(f"{name},1,{number},{sop_class},{'CR' if sop_class == 'CR' else 'OT'}")
    (folder / "m.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return bulkdcm.convert(
        folder / "m.csv", folder / "out", **{"jpeg": "transcode", "backend": "sequential", "fsync": False, **options}
    ).table


def stream_of(path: Path) -> bytes:
    (stream,) = generate_frames(pydicom.dcmread(path).PixelData, number_of_frames=1)
    return stream


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("shapes", [SHAPES, ODD], ids=["whole blocks", "odd"])
@pytest.mark.parametrize("kind", [["-progressive"], ["-arithmetic"], ["-progressive", "-arithmetic"]], ids=" ".join)
def test_the_coefficients_are_the_same_and_every_reader_sees_what_it_sees_of_the_baseline_original(
    name, shapes, kind, tmp_path
):
    readers.need("dciodvfy", "dcmdjpeg", "gdcmconv", "jpegtran")
    original = baseline(name, shapes[name])
    table = converted(tmp_path / "moved", {"a.jpg": by_jpegtran(original, kind)})
    assert "transcoded to baseline with the same coefficients by" in table["decisions"][0]
    moved, kept = tmp_path / "moved" / "out" / "a.dcm", tmp_path / "kept" / "out" / "a.dcm"
    converted(tmp_path / "kept", {"a.jpg": original}, jpeg="keep")
    parsed = jpeg_stream.parse(stream_of(moved), "moved")
    assert (parsed.process, parsed.scans) == (0, 1)
    for ours, theirs in zip(coefficients(stream_of(moved), tmp_path), coefficients(original, tmp_path), strict=True):
        assert np.array_equal(ours, theirs)
    for decode in (readers.dcmtk_pixels, readers.gdcm_pixels, readers.pydicom_pixels):
        assert np.array_equal(decode(moved), decode(kept)), decode.__name__
    for reader in ("dciodvfy", "dcmdump", "dcmftest", "bulkdcm verify"):
        assert not [text for text in readers.READERS[reader](moved) if "DICOMDIR" not in text], reader


def test_an_extended_stream_of_8_bits_and_one_of_several_scans_become_baseline_of_one(tmp_path):
    original = baseline("4:2:0", SHAPES["4:2:0"])
    extended = original.replace(b"\xff\xc0", b"\xff\xc1", 1)
    progressive = turned_by_library(original, PROGRESSIVE)
    table = converted(tmp_path, {"a.jpg": extended, "b.jpg": progressive})
    for output in table["output"]:
        stream = jpeg_stream.parse(stream_of(tmp_path / "out" / output), output)
        assert (stream.process, stream.scans) == (0, 1)


@pytest.mark.parametrize("orientation", range(2, 9))
@pytest.mark.parametrize("name", SHAPES)
def test_whole_blocks_are_turned_without_decoding(name, orientation, tmp_path):
    back = {2: 1, 3: 6, 4: 2, 5: 3, 6: 7, 7: 4, 8: 5}[orientation]
    original = baseline(name, SHAPES[name], orientation)
    table = converted(tmp_path, {"a.jpg": original})
    assert f"EXIF orientation {orientation}" in table["decisions"][0]
    assert (table["rows"][0], table["columns"][0]) == ((64, 48) if orientation > 4 else (48, 64))
    stream = stream_of(tmp_path / "out" / "a.dcm")
    again = turned_by_library(stream, 0, back)
    for ours, theirs in zip(coefficients(again, tmp_path), coefficients(original, tmp_path), strict=True):
        assert np.array_equal(ours, theirs)


def test_blocks_that_are_not_whole_are_decoded_as_before(tmp_path):
    table = converted(tmp_path, {"a.jpg": baseline("gray", ODD["gray"], 6)})
    assert "not transcoded: " in table["decisions"][0]
    assert "decoded: EXIF orientation 6" in table["decisions"][0]
    assert pydicom.dcmread(tmp_path / "out" / "a.dcm").pixel_array.shape == (51, 37)


def neutral(kind: int = 0) -> bytes:
    gray = Image.open(io.BytesIO(baseline("gray", SHAPES["gray"])))
    buffer = io.BytesIO()
    Image.merge("RGB", [gray] * 3).save(buffer, "JPEG", quality=88)
    return turned_by_library(buffer.getvalue(), kind)


@pytest.mark.parametrize("kind", [0, PROGRESSIVE])
def test_a_gray_class_gets_the_luma_of_a_colour_jpeg_whose_chroma_is_neutral(kind, tmp_path):
    table = converted(tmp_path, {"a.jpg": neutral(kind)}, "CR")
    assert "luma alone: the chroma is neutral" in table["decisions"][0]
    dataset = pydicom.dcmread(tmp_path / "out" / "a.dcm")
    assert (dataset.PhotometricInterpretation, dataset.SamplesPerPixel) == ("MONOCHROME2", 1)
    (ours,) = coefficients(stream_of(tmp_path / "out" / "a.dcm"), tmp_path)
    assert np.array_equal(ours, coefficients(neutral(), tmp_path)[0])


def test_colour_is_still_refused_by_a_gray_class(tmp_path):
    table = converted(tmp_path, {"a.jpg": baseline("4:4:4", SHAPES["4:4:4"])}, "CR")
    assert "8-bit colour pixels can't be" in table["message"][0]


def test_the_lossy_history_gains_no_step_and_the_profile_stays(tmp_path):
    data = turned_by_library(baseline("4:2:0", SHAPES["4:2:0"], icc_profile=ICC), PROGRESSIVE)
    converted(tmp_path / "kept", {"a.jpg": data}, jpeg="keep")
    converted(tmp_path / "moved", {"a.jpg": data})
    kept, moved = (pydicom.dcmread(tmp_path / name / "out" / "a.dcm") for name in ("kept", "moved"))
    for keyword in ("LossyImageCompression", "LossyImageCompressionRatio", "LossyImageCompressionMethod", "ICCProfile"):
        assert moved[keyword].value == kept[keyword].value, keyword
    assert b"ICC_PROFILE" not in stream_of(tmp_path / "moved" / "out" / "a.dcm")


def test_rgb_components_stay_rgb(tmp_path):
    data = turned_by_library(baseline("RGB", SHAPES["4:4:4"], keep_rgb=True), PROGRESSIVE)
    converted(tmp_path, {"a.jpg": data})
    path = tmp_path / "out" / "a.dcm"
    assert pydicom.dcmread(path).PhotometricInterpretation == "RGB"
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(stream_of(path)))), np.asarray(Image.open(io.BytesIO(data))))
    assert not readers.READERS["bulkdcm verify"](path)


def test_what_is_baseline_already_stays_as_it_is(tmp_path):
    data = {"a.jpg": baseline("4:2:0", SHAPES["4:2:0"])}
    kept = converted(tmp_path / "kept", data, jpeg="keep")
    moved = converted(tmp_path / "moved", data)
    assert kept["decisions"][0] == moved["decisions"][0]
    assert stream_of(tmp_path / "kept" / "out" / "a.dcm") == stream_of(tmp_path / "moved" / "out" / "a.dcm")


def test_a_stream_that_is_cut_off_is_refused_not_mended(tmp_path):
    data = turned_by_library(baseline("4:2:0", SHAPES["4:2:0"]), PROGRESSIVE)
    table = converted(tmp_path, {"a.jpg": data[: len(data) // 2] + b"\xff\xd9"})
    assert table["status"][0] == "failed"


def test_the_option_is_refused_without_the_library(tmp_path, monkeypatch):
    monkeypatch.setattr(jpeg_transcode, "_library", lambda: None)
    with pytest.raises(bulkdcm.SettingsError, match="libturbojpeg0"):
        converted(tmp_path, {"a.jpg": baseline("gray", SHAPES["gray"])})
    assert not (tmp_path / "out").exists()


def test_another_library_makes_the_rows_anew_and_moves_no_uid(tmp_path, monkeypatch):
    data = {"a.jpg": turned_by_library(baseline("gray", SHAPES["gray"]), PROGRESSIVE)}
    first = converted(tmp_path, data)
    assert bulkdcm.plan(tmp_path / "m.csv", tmp_path / "out", jpeg="transcode") == {"done": 1}
    monkeypatch.setattr(jpeg_transcode, "version", lambda: "another")
    assert bulkdcm.plan(tmp_path / "m.csv", tmp_path / "out", jpeg="transcode") == {"settings changed": 1}
    second = converted(tmp_path, data)
    assert first["sop_instance_uid"][0] == second["sop_instance_uid"][0]


def test_the_library_is_named_by_its_file_and_digest():
    name, _, digest = jpeg_transcode.version().partition(" ")
    assert "turbojpeg" in name
    assert len(digest) == 16
