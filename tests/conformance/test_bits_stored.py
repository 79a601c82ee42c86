"""Bits Stored is what the file declares, and readers see the same pixels under every transfer syntax."""

from __future__ import annotations

import io

import imagecodecs
import numpy as np
import pydicom
import pytest
import tifffile

import bulkdcm
from bulkdcm.iods import IODS
from tests.conformance import cases, readers
from tests.streams_png_codec import chunk

DEEP = [iod.alias for iod in IODS if "gray16" in iod.pixel_kinds]
SYNTAXES = ["explicit", "implicit", "deflated", "rle", "jpeg-lossless", "jpeg-ls", "j2k-lossless", "htj2k-lossless"]
SIXTEEN_ONLY = {"jpeg-ls", "htj2k-lossless"}  # whose encoders write no other


def png(pixels: np.ndarray, bits: int) -> bytes:
    """Return a PNG that declares how many bits of a sample are significant."""
    data = bytes(imagecodecs.png_encode(pixels))
    return data[:33] + chunk(b"sBIT", bytes([bits])) + data[33:]


def tiff(pixels: np.ndarray, bits: int) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, pixels, bitspersample=bits)
    return buffer.getvalue()


def deep(top: int) -> np.ndarray:
    pixels = np.random.default_rng(top).integers(0, top + 1, (40, 51)).astype(np.uint16)
    pixels[7, 7] = top
    return pixels


def converted(folder, images: dict[str, bytes], alias: str, **options) -> list:
    rows = []
    for number, (name, data) in enumerate(images.items(), start=1):
        (folder / name).write_bytes(data)
        rows.append(
            {**cases.COMMON, **cases.COMPLETE[alias], "source": name, "sop_class": alias, "InstanceNumber": number}
        )
    cases.write_manifest(folder / "m.csv", rows)
    report = bulkdcm.convert(folder / "m.csv", folder / "out", backend="sequential", fsync=False, **options)
    assert (report.table["status"] == "converted").all(), report.table["message"].tolist()
    return [folder / "out" / output for output in report.table["output"]]


@pytest.mark.parametrize(
    ("data", "stored"),
    [
        (png(deep(4095), 12), 12),
        (png(deep(1023), 10), 10),
        (png(deep(4096), 12), 16),
        (png(deep(255), 8), 16),
        (png(deep(65535), 16), 16),
        (png(deep(4095), 0), 16),
        (png(deep(200).astype(np.uint8), 7), 8),
        (tiff(deep(4095), 12), 12),
        (tiff(deep(4095), 16), 16),
    ],
    ids=["12", "10", "12, and more is there", "8 of 16", "16", "none of PNG's", "7 of 8", "TIFF 12", "TIFF 16"],
)
def test_what_the_file_declares_is_stored_if_every_value_fits(data, stored, tmp_path):
    (path,) = converted(tmp_path, {"a.png": data}, "SC")
    dataset = pydicom.dcmread(path)
    assert (dataset.BitsStored, dataset.HighBit) == (stored, stored - 1)
    assert dataset.BitsAllocated == (8 if stored == 8 else 16)


@pytest.mark.parametrize("alias", DEEP)
def test_every_class_takes_fewer_bits_than_16(alias, tmp_path):
    readers.need("dciodvfy")
    twelve, ten = converted(tmp_path, {"a.png": png(deep(4095), 12), "b.png": png(deep(1023), 10)}, alias)
    least = {"CT": 12, "OP16": 16}.get(alias, 0)
    assert pydicom.dcmread(twelve).BitsStored == max(12, least)
    assert pydicom.dcmread(ten).BitsStored == max(10, least)
    for path in (twelve, ten):
        for name, reader in readers.READERS.items():
            assert not reader(path), f"{name} of {alias}"


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_every_transfer_syntax_gives_the_pixels_back(syntax, tmp_path):
    pixels = deep(4095)
    (path,) = converted(tmp_path, {"a.png": png(pixels, 12)}, "SC", transfer_syntax=syntax)
    assert pydicom.dcmread(path).BitsStored == (16 if syntax in SIXTEEN_ONLY else 12)
    decoders = {"pydicom": readers.pydicom_pixels}
    if syntax not in {"j2k-lossless", "htj2k-lossless"}:
        decoders["dcmtk"] = readers.dcmtk_pixels
    if syntax != "htj2k-lossless":
        decoders["GDCM"] = readers.gdcm_pixels
    readers.need("dcmconv", "gdcmconv")
    for name, decode in decoders.items():
        assert np.array_equal(decode(path), pixels), name
    assert not readers.READERS["bulkdcm verify"](path)


def test_frames_have_the_bits_of_the_deepest(tmp_path):
    images = {"a.png": png(deep(1023), 10), "b.png": png(deep(4095), 12)}
    for name, data in images.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "m.csv").write_text(
        "source,PatientID,sop_class,instance,frame,BurnedInAnnotation,Modality\n"
        "a.png,1,SC-WORD,x,1,NO,OT\nb.png,1,SC-WORD,x,2,NO,OT\n",
        encoding="utf-8",
    )
    report = bulkdcm.convert(tmp_path / "m.csv", tmp_path / "out", backend="sequential")
    dataset = pydicom.dcmread(tmp_path / "out" / report.table["output"][0])
    assert (dataset.BitsStored, dataset.NumberOfFrames) == (12, 2)
