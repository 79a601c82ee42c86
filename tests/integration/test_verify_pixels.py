"""Pixels of every coding, exchanged for others in agreement with the ledger: `bulkdcm verify` finds it by the pixels alone."""

from __future__ import annotations

import io
import zlib

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.encaps import encapsulate, generate_frames

import bulkdcm
from bulkdcm.images import decoders, jpeg_transcode
from bulkdcm.proof import jpeg, png, policy
from tests.conformance.cases import write_manifest
from tests.integration.test_verify_run import QUIET, adjust, kinds
from tests.streams_png_codec import GRAY, KINDS, samples_of
from tests.streams_png_codec import png as made_png

SYNTAXES = ("explicit", "implicit", "deflated", "rle", "jpeg-lossless", "jpeg-ls", "j2k-lossless", "htj2k-lossless", "jpeg-baseline:90")  # fmt: skip


def noise(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, shape or (24, 32), dtype=np.uint8)


def smooth(number: int) -> np.ndarray:
    y, x = np.mgrid[:48, :64]
    return np.dstack([(120 + 60 * np.sin(x / (5 + c + number)) + 50 * np.cos(y / (7 - c))) for c in range(3)]).astype(
        np.uint8
    )


def converted(folder, images: dict[str, bytes], rows: dict[str, dict[str, object]] | None = None, **options):
    for name, data in images.items():
        (folder / name).write_bytes(data)
    common = {"PatientID": "1", "sop_class": "SC"}
    write_manifest(
        folder / "m.csv",
        [
            {**common, "source": n, "InstanceNumber": i, **(rows or {}).get(n, {})}
            for i, n in enumerate(images, start=1)
        ],
    )
    report = bulkdcm.convert(folder / "m.csv", folder / "out", **{**QUIET, **options})
    assert report.exit_code == 0, report.table["message"].tolist()
    assert bulkdcm.verify(folder / "out", backend="sequential").ok


def saved(pixels, kind: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


def exchange(folder, one: str = "a.dcm", other: str = "b.dcm") -> None:
    """Give a file the pixels of another."""
    dataset, theirs = (pydicom.dcmread(folder / "out" / name) for name in (one, other))
    dataset["PixelData"] = theirs["PixelData"]
    dataset.save_as(folder / "out" / one)
    adjust(folder, one)


def found(folder) -> dict[str, set[str]]:
    return kinds(bulkdcm.verify(folder / "out", backend="sequential"))


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("shape", [(24, 32), (24, 32, 3)], ids=["gray", "colour"])
def test_other_pixels_under_each_transfer_syntax(syntax, shape, tmp_path):
    converted(
        tmp_path, {f"{name}.png": saved(noise(seed, *shape)) for seed, name in enumerate("ab")}, transfer_syntax=syntax
    )
    exchange(tmp_path)
    assert found(tmp_path) == {"pixels": {"a.dcm"}}


def test_a_decoded_jpeg_that_is_one_level_off(tmp_path):
    converted(tmp_path, {"a.jpg": saved(smooth(0), "JPEG", quality=90)}, transfer_syntax="explicit")
    path = tmp_path / "out/a.dcm"
    dataset = pydicom.dcmread(path)
    dataset.PixelData = bytes([dataset.PixelData[0] ^ 1]) + dataset.PixelData[1:]
    dataset.save_as(path)
    adjust(tmp_path)
    assert found(tmp_path) == {"pixels": {"a.dcm"}}


@pytest.mark.skipif(not decoders.release(), reason="without kornia-rs one decoder alone reads JPEG")
def test_a_jpeg_whose_decoders_differ_by_more_than_they_may(tmp_path, monkeypatch):
    converted(tmp_path, {"a.jpg": saved(smooth(0), "JPEG", quality=90)}, transfer_syntax="explicit")
    monkeypatch.setattr(jpeg, "bound", lambda _: -1)
    assert found(tmp_path) == {"pixels": {"a.dcm"}}


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_transcoded_stream_with_other_coefficients(orientation, tmp_path, monkeypatch):
    if jpeg_transcode._library() is None:
        pytest.skip("libturbojpeg is not installed (Debian: libturbojpeg0)")
    exif = Image.Exif()
    exif[0x0112] = orientation
    images = {
        f"{name}.jpg": saved(smooth(number), "JPEG", quality=90, progressive=True, exif=exif) for number, name in enumerate("ab")
    }  # fmt: skip
    converted(tmp_path, images, jpeg="transcode")
    exchange(tmp_path)
    assert found(tmp_path) == {"pixels": {"a.dcm"}}
    # Without a decoder, the coefficients tell; without a reader of coefficients, decoding does.
    for module, name, value in ((jpeg, "_decoded_apart", lambda *_, **__: 0), (jpeg, "coefficients", lambda _: None)):
        with monkeypatch.context() as patched:
            patched.setattr(module, name, value)
            assert found(tmp_path)["pixels"] == {"a.dcm"}
    with monkeypatch.context() as patched:
        patched.setattr(jpeg, "coefficients", lambda _: None)
        by = bulkdcm.verify(tmp_path / "out", backend="sequential").by
        assert any("for want of a reader of coefficients" in told for told in by)


def test_a_stream_passed_through_that_lacks_a_table_or_has_a_comment(tmp_path):
    converted(tmp_path, {"a.jpg": saved(smooth(0), "JPEG", quality=90)})
    path = tmp_path / "out/a.dcm"
    (stream,) = generate_frames(pydicom.dcmread(path).PixelData, number_of_frames=1)
    stream = stream[: stream.rindex(b"\xff\xd9") + 2]
    at = stream.index(b"\xff\xc4")
    length = 2 + int.from_bytes(stream[at + 2 : at + 4], "big")
    for changed in (stream[:at] + stream[at + length :], stream[:2] + b"\xff\xfe\0\6Jane" + stream[2:]):
        dataset = pydicom.dcmread(path)
        dataset.PixelData = encapsulate([changed])
        dataset.save_as(path)
        adjust(tmp_path)
        assert found(tmp_path)["pixels"] == {"a.dcm"}


def test_frames_in_another_order(tmp_path):
    rows = {f"{n}.png": {"sop_class": "SC-BYTE", "instance": "one", "frame": n, "BurnedInAnnotation": "NO", "InstanceNumber": 1, "output": ""} for n in (1, 2)}  # fmt: skip
    converted(tmp_path, {f"{n}.png": saved(noise(n)) for n in (1, 2)}, rows)
    path = tmp_path / "out/1.dcm"
    dataset = pydicom.dcmread(path)
    half = len(dataset.PixelData) // 2
    dataset.PixelData = dataset.PixelData[half:] + dataset.PixelData[:half]
    dataset.save_as(path)
    adjust(tmp_path, "1.dcm")
    told = bulkdcm.verify(tmp_path / "out", backend="sequential")
    assert kinds(told) == {"pixels": {"1.dcm"}}
    assert told.findings[0].where == "PixelData, frame 1"


def test_a_restamped_file_with_other_pixels_or_attributes(tmp_path):
    converted(tmp_path, {f"{name}.png": saved(noise(seed)) for seed, name in enumerate("ab")})
    (tmp_path / "again").mkdir()
    images = {f"{name}.dcm": (tmp_path / "out" / f"{name}.dcm").read_bytes() for name in "ab"}
    converted(tmp_path / "again", images, {name: {"sop_class": "", "PatientID": "9"} for name in images})
    exchange(tmp_path / "again")
    assert found(tmp_path / "again") == {"pixels": {"a.dcm"}}
    path = tmp_path / "again/out/b.dcm"
    dataset = pydicom.dcmread(path)
    dataset.ConversionType = "DI"
    dataset.save_as(path)
    adjust(tmp_path / "again", "b.dcm")
    assert found(tmp_path / "again") == {"pixels": {"a.dcm"}, "content": {"b.dcm"}}


def test_a_last_byte_that_only_pads(tmp_path):
    converted(tmp_path, {"a.png": saved(noise(1, 3, 5))})
    path = tmp_path / "out/a.dcm"
    path.write_bytes(path.read_bytes()[:-1] + b"\x07")
    adjust(tmp_path)
    assert found(tmp_path) == {"content": {"a.dcm"}}


@pytest.mark.parametrize(("color_type", "depth"), KINDS)
@pytest.mark.parametrize("interlace", [False, True])
def test_our_png_decoder_is_exact(color_type, depth, interlace):
    data, _ = made_png(color_type, depth, 13, 11, interlace=interlace)
    read = png.parts(data)
    assert (read.rows, read.columns, read.depth, read.color_type) == (13, 11, depth, color_type)
    np.testing.assert_array_equal(png.samples(read), samples_of(color_type, depth, 13, 11))


def test_our_png_decoder_refuses_what_lacks():
    data, _ = made_png(GRAY, 8, 13, 11)
    read = png.parts(data)
    for lines in (b"", b"\x09" * 200):
        with pytest.raises(ValueError, match="PNG"):
            png.samples(read._replace(chunks={b"IDAT": zlib.compress(lines)}))


def test_inks_become_the_colours_that_pillow_makes_of_them():
    ink = np.random.default_rng(2).integers(0, 256, (40, 50, 4), dtype=np.uint8)
    expected = np.asarray(Image.fromarray(ink, "CMYK").convert("RGB"))
    np.testing.assert_array_equal(policy.rgb_of_cmyk(ink), expected)
