"""`verify` decodes: what only decoding finds in a stream whose form is right, and nothing in good streams of every kind."""

from __future__ import annotations

import io
import sys
import warnings

import imagecodecs
import numpy as np
import pydicom
import pytest
from pydicom.encaps import encapsulate

import bulkdcm
from bulkdcm.validation import decoders, decoding, verify
from bulkdcm.validation.pixels import Shape
from tests import streams_jpeg
from tests.streams import noise, smooth
from tests.streams_jpeg import JPEGS, jpeg

GRAY, DEEP, COLOR = smooth(120, 150), noise(60, 80, top=4095).astype(np.uint16), smooth(120, 150, 3)
BASELINE, EXTENDED, LOSSLESS = (f"1.2.840.10008.1.2.4.{n}" for n in (50, 51, 70))
JPEG_LS, J2K, HTJ2K, RLE = (f"1.2.840.10008.1.2.{n}" for n in ("4.80", "4.90", "4.201", "5"))


def shape_of(pixels, bits) -> Shape:
    rows, columns, *samples = pixels.shape
    return Shape(
        rows=rows, columns=columns, samples=samples[0] if samples else 1, bits_allocated=pixels.itemsize * 8,
        bits_stored=bits, photometric_interpretation="RGB" if samples else "MONOCHROME2", frames=1,
    )  # fmt: skip


def rle(pixels) -> bytes:
    dataset = pydicom.Dataset()
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    dataset.set_pixel_data(pixels, "MONOCHROME2", pixels.itemsize * 8)
    dataset.compress(RLE, generate_instance_uid=False)
    return pydicom.encaps.get_frame(dataset.PixelData, 0, number_of_frames=1)


GOOD = {
    "baseline gray": (BASELINE, GRAY, 8, jpeg(GRAY)),
    "baseline 4:4:4": (BASELINE, COLOR, 8, jpeg(COLOR, subsampling="444")),
    "baseline 4:2:0": (BASELINE, COLOR, 8, jpeg(COLOR, subsampling="420")),
    "extended 12 bits": (EXTENDED, DEEP, 12, jpeg(DEEP, bitspersample=12)),
    "lossless": (LOSSLESS, GRAY, 8, jpeg(GRAY, lossless=True, predictor=1)),
    "JPEG-LS": (JPEG_LS, GRAY, 8, bytes(imagecodecs.jpegls_encode(GRAY))),
    "JPEG 2000": (J2K, GRAY, 8, bytes(imagecodecs.jpeg2k_encode(GRAY, reversible=True, codecformat="j2k"))),
    "HTJ2K": (HTJ2K, GRAY, 8, bytes(imagecodecs.htj2k_encode(GRAY, reversible=True))),
    "RLE": (RLE, GRAY, 8, rle(GRAY)),
}
HALF_A_SCAN = {name: value for name, value in GOOD.items() if name != "RLE"}


@pytest.mark.parametrize("name", GOOD)
def test_good_streams_are_decoded_twice_and_agree(name, monkeypatch):
    uid, pixels, bits, data = GOOD[name]
    used = []
    decoded = decoding._decoded

    def counted(decoder, *rest):
        used.append(decoder)
        return decoded(decoder, *rest)

    monkeypatch.setattr(decoding, "_decoded", counted)
    assert list(decoding.check_stream(data, uid, shape_of(pixels, bits))) == []
    assert len({decoder.name for decoder in used}) == 2


@pytest.mark.parametrize("name", HALF_A_SCAN)
def test_half_a_scan_with_its_end_in_place_is_found(name):
    uid, pixels, bits, data = HALF_A_SCAN[name]
    cut = data[: len(data) // 2] + b"\xff\xd9"
    assert len(list(decoding.check_stream(cut, uid, shape_of(pixels, bits)))) == 1


@pytest.mark.parametrize("name", ["baseline gray", "baseline 4:4:4", "baseline 4:2:0", "JPEG-LS", "lossless"])
def test_a_sector_of_zeros_is_found(name):
    uid, pixels, bits, data = GOOD[name]
    middle = len(data) // 2
    zeroed = data[:middle] + bytes(512) + data[middle + 512 :]
    assert len(list(decoding.check_stream(zeroed, uid, shape_of(pixels, bits)))) == 1


@pytest.mark.parametrize(
    "case", [case for case in JPEGS if case.uid in {BASELINE, EXTENDED}], ids=lambda case: case.name
)
def test_every_stream_that_is_passed_through_is_good(case, tmp_path):
    (tmp_path / "a.jpg").write_bytes(case.data)
    sop_class = case.iod if case.iod in {"SC", "US"} else "SC"
    (tmp_path / "m.csv").write_text(f"source,PatientID,sop_class\na.jpg,1,{sop_class}\n", encoding="utf-8")
    frame = bulkdcm.convert(tmp_path / "m.csv", tmp_path / "out", backend="sequential").table
    assert frame["status"].tolist() == ["converted"], frame["message"].tolist()
    assert [str(finding) for finding in verify(tmp_path / "out/a.dcm")] == []


def file_of(tmp_path, data, pixels, uid=BASELINE, frames=1):
    """Return a file of ours whose pixels are `data`, for each frame."""
    (tmp_path / "a.jpg").write_bytes(jpeg(pixels))
    alias = "SC-BYTE" if frames > 1 else "SC"
    row = f"source,PatientID,sop_class,BurnedInAnnotation,BodyPartExamined\na.jpg,1,{alias},NO,CHEST\n"
    (tmp_path / "m.csv").write_text(row, encoding="utf-8")
    bulkdcm.convert(tmp_path / "m.csv", tmp_path / "out", backend="sequential")
    dataset = pydicom.dcmread(tmp_path / "out/a.dcm")
    dataset.file_meta.TransferSyntaxUID = uid
    dataset.PixelData = encapsulate([data] * frames)
    if frames > 1:
        dataset.NumberOfFrames = frames
    dataset.save_as(tmp_path / "b.dcm")
    return tmp_path / "b.dcm"


def test_verify_names_the_frame_and_the_decoder(tmp_path):
    data = jpeg(GRAY)
    (finding,) = verify(file_of(tmp_path, data[: len(data) // 2] + b"\xff\xd9", GRAY))
    assert finding.where == "PixelData, frame 1"
    assert finding.rule.startswith("libjpeg-turbo can't decode it: ")


def test_a_frame_over_the_limit_is_not_decoded_and_that_is_said(tmp_path):
    path = file_of(tmp_path, jpeg(GRAY), GRAY)
    assert verify(path) == ()
    (finding,) = verify(path, max_pixels=GRAY.size - 1)
    assert "more than --max-pixels 17999" in finding.rule


def test_frames_that_a_few_bytes_announce_are_not_decoded_for_hours():
    assert decoding.budget(60_000, 10**6) < 10**9


def test_warnings_of_a_decoder_and_what_it_can_only_print_are_findings(monkeypatch):
    def warns(*_):
        warnings.warn("something is odd", stacklevel=1)
        return GRAY

    def prints(*_):
        sys.unraisablehook(type("Problem", (), {"exc_value": RuntimeError("inner <Stream at 0x7f00> error")}))
        return GRAY

    for read, words in ((warns, "something is odd"), (prints, "inner the stream error")):
        monkeypatch.setattr(decoders, "installed", lambda *_, read=read: [decoders.Decoder("X", "x", "x", read)])
        (rule,) = decoding.check_stream(b"", BASELINE, shape_of(GRAY, 8))
        assert rule == f"X warns of it: {words}"


def test_without_a_decoder_it_is_said_that_nothing_was_decoded(monkeypatch):
    monkeypatch.setattr(decoders, "_is_there", lambda _: False)
    (rule,) = decoding.check_stream(b"", JPEG_LS, shape_of(GRAY, 8))
    assert "not decoded: no decoder for it is installed" in rule
    assert "pip install" in rule


def test_the_second_decoder_is_of_another_library_where_one_is_installed(monkeypatch):
    libraries = [decoder.library for decoder in decoders.installed(JPEG_LS, shape_of(GRAY, 8))]
    assert libraries[:2] == ["CharLS", "libjpeg"]
    monkeypatch.setattr(decoders, "_is_there", lambda package: package != "libjpeg")
    assert [decoder.name for decoder in decoders.installed(JPEG_LS, shape_of(GRAY, 8))] == ["imagecodecs", "pyjpegls"]


def test_sampling_is_read_from_the_frame_header():
    assert decoders.sampling(jpeg(COLOR, subsampling="420")) == ((2, 2), (1, 1), (1, 1))
    assert decoders.sampling(streams_jpeg.inserted(jpeg(GRAY), b"\xff" * 3)) == ((1, 1),)


def test_messages_are_the_same_each_time():
    assert decoding._of(ValueError(f"cannot identify {io.BytesIO()!r}")) == "cannot identify the stream"
