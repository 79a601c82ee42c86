"""Inverted exports: labelled MONOCHROME1 where the class has it, or inverted; and colour that is nearly gray."""

from __future__ import annotations

import io

import imagecodecs
import numpy as np
import pydicom
import pytest
from PIL import Image

import bulkdcm
from bulkdcm.iods import IODS
from tests.conformance import cases, readers

GRAY8 = np.random.default_rng(8).integers(3, 250, (40, 51)).astype(np.uint8)
GRAY16 = np.random.default_rng(16).integers(3, 65000, (40, 51)).astype(np.uint16)
TAKE_MONOCHROME1 = {"SC", "CR", "DX", "MG", "IO", "CT", "MR"}
SHAPED = {"DX", "MG", "IO"}


def jpeg(pixels, **options) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=90, **options)
    return buffer.getvalue()


def run(folder, rows, **options):
    """Convert rows, each with the bytes of its image; return the report and the data sets."""
    lines = []
    for number, (alias, data, own) in enumerate(rows, start=1):
        name = f"{number}.{'jpg' if data.startswith(bytes.fromhex('ffd8')) else 'png'}"
        (folder / name).write_bytes(data)
        numbers = {"SeriesNumber": number, "InstanceNumber": 1}
        lines.append({**cases.COMMON, **cases.COMPLETE[alias], "source": name, "sop_class": alias, **numbers, **own})
    cases.write_manifest(folder / "m.csv", lines)
    report = bulkdcm.convert(folder / "m.csv", folder / "out", backend="sequential", fsync=False, **options)
    rows = report.table[["status", "output"]].itertuples(index=False)
    return report, [folder / "out" / output if status == "converted" else None for status, output in rows]


def png(alias: str) -> bytes:
    (iod,) = [iod for iod in IODS if iod.alias == alias]
    return bytes(imagecodecs.png_encode(GRAY8 if "gray8" in iod.pixel_kinds else GRAY16))


@pytest.mark.parametrize("alias", sorted(TAKE_MONOCHROME1))
def test_an_inverted_export_is_labelled_and_its_pixels_stay(alias, tmp_path):
    readers.need("dciodvfy", "gdcminfo")
    report, (path,) = run(tmp_path, [(alias, png(alias), {"PhotometricInterpretation": "MONOCHROME1"})])
    dataset = pydicom.dcmread(path)
    assert dataset.PhotometricInterpretation == "MONOCHROME1"
    assert dataset.get("PresentationLUTShape") == ("INVERSE" if alias in SHAPED else None)
    assert "MONOCHROME1, as the row says" in report.table["decisions"][0]
    assert np.array_equal(dataset.pixel_array, GRAY8 if dataset.BitsAllocated == 8 else GRAY16)
    for name, reader in readers.READERS.items():
        assert not reader(path), name


@pytest.mark.parametrize("alias", [iod.alias for iod in IODS if {"gray8", "gray16"} & iod.pixel_kinds])
def test_a_class_that_has_none_says_how_else_and_takes_inverted_pixels(alias, tmp_path):
    rows = [(alias, png(alias), {"PhotometricInterpretation": "MONOCHROME1"})]
    if alias not in TAKE_MONOCHROME1:
        with pytest.raises(bulkdcm.ManifestError, match="takes MONOCHROME2 only"):
            run(tmp_path, rows)
    report, (path,) = run(tmp_path, rows, invert=True)
    dataset = pydicom.dcmread(path)
    assert dataset.PhotometricInterpretation == "MONOCHROME2"
    bits = dataset.BitsStored
    assert np.array_equal(dataset.pixel_array, 2**bits - 1 - (GRAY8 if bits == 8 else GRAY16).astype(int))
    assert dataset.DerivationDescription == f"inverted within {bits} bits"
    assert f"inverted within {bits} bits" in report.table["decisions"][0]
    assert not readers.READERS["bulkdcm verify"](path)


def test_a_jpeg_is_labelled_without_decoding_and_decoded_to_be_inverted(tmp_path):
    row = [("CR", jpeg(GRAY8), {"PhotometricInterpretation": "MONOCHROME1"})]
    report, (path,) = run(tmp_path, row)
    assert pydicom.dcmread(path).PhotometricInterpretation == "MONOCHROME1"
    assert "passed through" in report.table["decisions"][0]
    assert not readers.READERS["bulkdcm verify"](path)
    upright = np.asarray(Image.open(io.BytesIO(row[0][1])))
    (tmp_path / "inverted").mkdir()
    report, (path,) = run(tmp_path / "inverted", row, invert=True)
    assert "decoded: to be inverted" in report.table["decisions"][0]
    assert np.array_equal(pydicom.dcmread(path).pixel_array, 255 - upright)


@pytest.mark.parametrize("syntax", ["rle", "jpeg-lossless", "jpeg-ls", "j2k-lossless", "jpeg-baseline:90"])
def test_compressed_gray_keeps_its_sense(syntax, tmp_path):
    _, (path,) = run(
        tmp_path, [("SC", png("SC"), {"PhotometricInterpretation": "MONOCHROME1"})], transfer_syntax=syntax
    )
    assert pydicom.dcmread(path).PhotometricInterpretation == "MONOCHROME1"
    assert not readers.READERS["bulkdcm verify"](path)


def test_the_row_says_which_images_are_inverted_and_a_uid_follows(tmp_path):
    own = [{"PhotometricInterpretation": text} for text in ("MONOCHROME1", "MONOCHROME2")]
    report, (first, second) = run(tmp_path, [("SC", png("SC"), one) for one in own], invert=True)
    assert np.array_equal(pydicom.dcmread(first).pixel_array, 255 - GRAY8)
    assert np.array_equal(pydicom.dcmread(second).pixel_array, GRAY8)
    (tmp_path / "as it is").mkdir()
    plain, _ = run(tmp_path / "as it is", [("SC", png("SC"), one) for one in own])
    assert report.table["sop_instance_uid"][0] != plain.table["sop_instance_uid"][0]


def test_rows_that_say_nothing_beside_others_that_do_are_not_guessed(tmp_path):
    rows = [("SC", png("SC"), {"PhotometricInterpretation": text}) for text in ("MONOCHROME1", "")]
    with pytest.raises(bulkdcm.ManifestError, match="Write MONOCHROME1 if pixels are to be inverted"):
        run(tmp_path, rows, invert=True)
    report, _ = run(tmp_path, rows)
    assert report.count("converted") == 2


def color(difference: int) -> np.ndarray:
    pixels = np.repeat(GRAY8[:, :, None], 3, axis=2)
    pixels[:, :, 2] += np.uint8(difference)
    return pixels


@pytest.mark.parametrize("stated", ["MONOCHROME1", "MONOCHROME2"])
def test_a_sense_of_gray_is_refused_for_colour(stated, tmp_path):
    data = bytes(imagecodecs.png_encode(color(5)))
    report, _ = run(tmp_path, [("SC", data, {"PhotometricInterpretation": stated})])
    assert "this one is in colour" in report.table["message"][0]


def test_colour_is_not_inverted(tmp_path):
    report, _ = run(tmp_path, [("SC", bytes(imagecodecs.png_encode(color(5))), {})], invert=True)
    assert "--invert is for gray images" in report.table["message"][0]


@pytest.mark.parametrize("text", ["RGB", "YBR_FULL", "monochrome1"])
def test_nothing_else_can_be_said_of_it(text, tmp_path):
    with pytest.raises(bulkdcm.ManifestError, match="PhotometricInterpretation"):
        run(tmp_path, [("SC", png("SC"), {"PhotometricInterpretation": text})])


def test_a_shape_that_contradicts_it_is_refused(tmp_path):
    own = {"PhotometricInterpretation": "MONOCHROME1", "PresentationLUTShape": "IDENTITY"}
    with pytest.raises(bulkdcm.ManifestError, match="PresentationLUTShape"):
        run(tmp_path, [("DX", png("DX"), own)])


def test_the_row_s_own_description_stays_before_ours(tmp_path):
    own = {"DerivationDescription": "cropped"}
    _, (path,) = run(tmp_path, [("SC", png("SC"), own)], invert=True)
    assert pydicom.dcmread(path).DerivationDescription == "cropped; inverted within 8 bits"
    (tmp_path / "long").mkdir()
    report, _ = run(tmp_path / "long", [("SC", png("SC"), {"DerivationDescription": "x" * 1020})], invert=True)
    assert "Make the row's shorter" in report.table["message"][0]


@pytest.mark.parametrize(
    ("tolerance", "difference", "gray"), [(0, 1, False), (1, 1, True), (3, 4, False), (5, 4, True)]
)
def test_colour_that_is_gray_but_for_a_little_becomes_gray_by_the_formula(tolerance, difference, gray, tmp_path):
    pixels = color(difference)
    report, (path,) = run(tmp_path, [("CR", bytes(imagecodecs.png_encode(pixels)), {})], gray_tolerance=tolerance)
    if not gray:
        assert "8-bit colour pixels can't be" in report.table["message"][0]
        return
    red, green, blue = (pixels[:, :, channel].astype(int) for channel in range(3))
    dataset = pydicom.dcmread(path)
    assert np.array_equal(dataset.pixel_array, (299 * red + 587 * green + 114 * blue + 500) // 1000)
    assert dataset.DerivationDescription.endswith(f"the channels differ by up to {difference}")
    assert dataset.DerivationDescription in report.table["decisions"][0]
    for name, reader in readers.READERS.items():
        assert not reader(path), name


def test_deep_colour_too(tmp_path):
    pixels = np.repeat(GRAY16[:, :, None], 3, axis=2)
    pixels[:, :, 1] += np.uint16(200)
    _, (path,) = run(tmp_path, [("CR", bytes(imagecodecs.png_encode(pixels)), {})], gray_tolerance=256)
    wide = pixels.astype(int)
    expected = (299 * wide[:, :, 0] + 587 * wide[:, :, 1] + 114 * wide[:, :, 2] + 500) // 1000
    assert np.array_equal(pydicom.dcmread(path).pixel_array, expected)


def test_gray_tolerance_and_keep_color_contradict_each_other():
    with pytest.raises(bulkdcm.SettingsError, match="gray_tolerance"):
        bulkdcm.Settings(gray_tolerance=3, keep_color=True)
