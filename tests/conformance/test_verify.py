"""Our own validator: good files broken in every way that dciodvfy misses, and in others; it finds each."""

from __future__ import annotations

import io
import os
import struct

import imagecodecs
import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.encaps import encapsulate, get_frame

import bulkdcm
from bulkdcm.cli import run
from bulkdcm.errors import SettingsError
from bulkdcm.validation import verify, verify_all
from tests.streams_jpeg import ARITHMETIC

HEADER = "source,PatientID,PatientName,PatientSex,StudyDate,StudyTime,StudyID,SeriesNumber,InstanceNumber,PixelSpacing,BodyPartExamined"
SYNTAXES = ("deflated", "rle", "jpeg-lossless", "jpeg-ls", "j2k-lossless", "htj2k-lossless", "jpeg-baseline:90")


def saved(pixels, form="JPEG", **options) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, form, **options)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """Return good files of ours by what they hold."""
    folder = tmp_path_factory.mktemp("good")
    rng = np.random.default_rng(4)
    gray, color = rng.integers(0, 255, (32, 48), dtype=np.uint8), rng.integers(0, 255, (32, 48, 3), dtype=np.uint8)
    files = {
        "gray.png": saved(gray, "PNG"),
        "color.png": saved(color, "PNG"),
        "deep.png": imagecodecs.png_encode(gray.astype(np.uint16) * 257),
        "gray.jpg": saved(gray),
        "ycc.jpg": saved(color),
        "rgb.jpg": saved(color, keep_rgb=True),
        "deep.jpg": imagecodecs.jpeg8_encode(gray.astype(np.uint16) * 16, bitspersample=12),
        "lossless.jpg": imagecodecs.jpeg8_encode(gray, lossless=True, predictor=1),
    }
    lines = [HEADER]
    for number, (name, data) in enumerate(files.items()):
        (folder / name).write_bytes(data)
        lines.append(f"{name},1,张^三,F,20230102,101112,1,1,{number},0.2\\0.2,CHEST")
    # A file name is given, since gray.png and gray.jpg would both become gray.dcm.
    lines = [f"{'output' if n == 0 else line.partition(',')[0] + '.dcm'},{line}" for n, line in enumerate(lines)]
    (folder / "m.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    report = bulkdcm.convert(folder / "m.csv", folder / "out")
    assert set(report.table["status"]) == {"converted"}, report.table["message"].tolist()
    for syntax in SYNTAXES:
        lines_of = [
            lines[0],
            *[
                line
                for line in lines[1:]
                if line.startswith(("gray.png", "color.png", *["deep.png"] * ("base" not in syntax)))
            ],
        ]
        (folder / "s.csv").write_text("\n".join(lines_of) + "\n", encoding="utf-8")
        done = bulkdcm.convert(folder / "s.csv", folder / syntax.partition(":")[0], transfer_syntax=syntax)
        assert set(done.table["status"]) == {"converted"}
    return folder


def test_good_files_have_no_findings(good):
    paths = sorted(good.rglob("*.dcm"))
    assert len(paths) == 8 + 3 * 6 + 2
    assert [str(finding) for path in paths for finding in verify(path)] == []


def put(**attributes):
    """Return a mutation of the dataset: keyword to value, None to take it away."""

    def change(dataset):
        for keyword, value in attributes.items():
            if value is None:
                del dataset[keyword]
            else:
                tag = pydicom.datadict.tag_for_keyword(keyword)
                dataset.add(
                    pydicom.DataElement(
                        tag, pydicom.datadict.dictionary_VR(tag).partition(" ")[0], value, validation_mode=0
                    )
                )

    return change


def meta(**attributes):
    def change(dataset):
        for keyword, value in attributes.items():
            setattr(dataset.file_meta, keyword, value)

    return change


def pixels(change):
    """Return a mutation of the native pixels' bytes."""

    def apply(dataset):
        dataset.PixelData = change(dataset.PixelData)

    return apply


def stream(change, **attributes):
    """Return a mutation of the one frame's stream, and of attributes."""

    def apply(dataset):
        changed = change(get_frame(dataset.PixelData, 0, number_of_frames=1).rstrip(b"\0"))
        dataset.PixelData = encapsulate([changed], has_bot=True)
        put(**attributes)(dataset)

    return apply


def private(dataset):
    dataset.add_new(0x00091010, "LO", "x")


PROGRESSIVE = saved(np.zeros((32, 48), np.uint8), progressive=True)
YCC = saved(np.random.default_rng(1).integers(0, 255, (32, 48, 3), dtype=np.uint8))
TO_JPEG_LOSSLESS = meta(TransferSyntaxUID="1.2.840.10008.1.2.4.70")

# Ways to break a file: the file, what is done, and a word of the finding. The first block is what dciodvfy lets through.
BLIND_SPOTS = [
    ("gray.png", "meta SOPInstanceUID not the dataset's", meta(MediaStorageSOPInstanceUID="1.2.3"), "MediaStorageSOPInstanceUID"),
    ("gray.png", "meta SOPClassUID not the dataset's", meta(MediaStorageSOPClassUID="1.2.840.10008.5.1.4.1.1.1"), "MediaStorageSOPClassUID"),
    ("gray.png", "2.25 over 128 bits", put(StudyInstanceUID="2.25." + "9" * 39), "128 bits"),
    ("gray.png", "PN of 4 groups", put(PatientName="A=B=C=D"), "3 groups"),
    ("gray.png", "month 13", put(StudyDate="20231301"), "calendar"),
    ("gray.png", "30 February", put(StudyDate="20230230"), "calendar"),
    ("gray.png", "hour 25", put(StudyTime="250000"), "time of day"),
    ("gray.png", "7 digits of a second", put(StudyTime="101112.1234567"), "TM is"),
    ("color.png", "planar flag wrong", put(PlanarConfiguration=1), "PlanarConfiguration"),
    ("gray.png", "unsigned called signed", put(PixelRepresentation=1), "unsigned"),
    ("gray.png", "invalid UTF-8", put(StudyDescription=b"\xff\xfe\xfd "), "character set"),
    ("gray.png", "negative PixelSpacing", put(PixelSpacing=["-0.2", "0.2"]), "greater than zero"),
    ("gray.png", "private element without creator", private, "Private Creator"),
    ("gray.jpg", "LossyImageCompression absent", put(LossyImageCompression=None, LossyImageCompressionRatio=None, LossyImageCompressionMethod=None), "LossyImageCompression"),
    ("gray.jpg", "LossyImageCompression 00", put(LossyImageCompression="00"), "LossyImageCompression"),
    ("gray.jpg", "lossy without ratio", put(LossyImageCompressionRatio=None), "Ratio"),
    ("gray.jpg", "lossy without method", put(LossyImageCompressionMethod=None), "Method"),
    ("gray.jpg", "progressive under .50", stream(lambda _: PROGRESSIVE), "SOF2"),
    ("gray.jpg", "arithmetic under .50", stream(lambda _: ARITHMETIC, Rows=16, Columns=24), "SOF9"),
    ("gray.jpg", "truncated", stream(lambda data: data[: len(data) // 2]), "cut off"),
    ("gray.jpg", "no EOI", stream(lambda data: data[:-2]), "cut off"),
    ("ycc.jpg", "YCbCr called RGB", put(PhotometricInterpretation="RGB"), "YBR_FULL_422"),
    ("rgb.jpg", "RGB called YCbCr", put(PhotometricInterpretation="YBR_FULL_422"), "its colour is RGB"),
    ("ycc.jpg", "planar flag of a stream", put(PlanarConfiguration=1), "PlanarConfiguration"),
    ("gray.jpg", "Rows not the stream's", put(Rows=31), "in the stream"),
    ("gray.jpg", "Columns not the stream's", put(Columns=50), "in the stream"),
    ("gray.jpg", "colour in one sample", stream(lambda _: YCC), "3 components"),
    ("gray.jpg", ".70 on a baseline stream", TO_JPEG_LOSSLESS, "SOF0"),
    ("gray.jpg", "BitsStored 12 on 8 bits", put(BitsAllocated=16, BitsStored=12, HighBit=11), "8 bits in the stream"),
]  # fmt: skip
OTHERS = [
    *[("gray.png", f"{keyword} absent", put(**{keyword: None}), keyword) for keyword in ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "Modality", "Rows", "PixelData")],
    ("gray.png", "UID with letters", put(StudyInstanceUID="1.2.x"), "UI is"),
    ("gray.png", "UID with a leading zero", put(StudyInstanceUID="1.02.3"), "leading zero"),
    ("gray.png", "PN of 65 characters", put(PatientName="A" * 65), "64 characters"),
    ("gray.png", "LO of two values", put(PatientID="a\\b"), "backslash"),
    ("gray.png", "LO with a line feed", put(StudyDescription="a\nb"), "control character"),
    ("gray.png", "PatientSex MALE", put(PatientSex="MALE"), "one of"),
    ("gray.png", "AS 45", put(PatientAge="45"), "AS is"),
    ("gray.png", "IS 1.5", put(InstanceNumber="1.5"), "IS is"),
    ("gray.png", "DS nan", put(PatientWeight="nan"), "DS is"),
    ("gray.png", "PixelSpacing of one value", put(PixelSpacing="0.2"), "PixelSpacing takes"),
    ("gray.png", "WindowWidth 0", put(WindowCenter="1", WindowWidth="0"), "greater than zero"),
    ("gray.png", "a character set that is none", put(SpecificCharacterSet="UTF-8"), "Defined Term"),
    ("gray.png", "UTF-8 without its character set", put(SpecificCharacterSet=None, PatientName="A^B", StudyDescription="é ".encode()), "character set"),
    ("gray.png", "pixels short", pixels(lambda data: data[:-10]), "PixelData"),
    ("gray.png", "pixels long", pixels(lambda data: data + bytes(10)), "PixelData"),
    ("gray.png", "Rows 0", put(Rows=0), "no image"),
    ("gray.png", "BitsStored over BitsAllocated", put(BitsStored=12, HighBit=11), "allocated"),
    ("gray.png", "HighBit wrong", put(HighBit=6), "HighBit"),
    ("color.png", "no planar flag", put(PlanarConfiguration=None), "PlanarConfiguration"),
    ("color.png", "MONOCHROME2 of 3 samples", put(PhotometricInterpretation="MONOCHROME2"), "SamplesPerPixel"),
    ("color.png", "native YBR_FULL_422", put(PhotometricInterpretation="YBR_FULL_422"), "compressed"),
    ("gray.jpg", "bytes after the end", stream(lambda data: data + bytes(9)), "after its end"),
    ("gray.jpg", "EXIF", stream(lambda data: data[:2] + b"\xff\xe1\0\x0aExif\0\0xx" + data[2:]), "EXIF"),
    ("lossless.jpg", "another predictor", stream(lambda _: bytes(imagecodecs.jpeg8_encode(np.zeros((32, 48), np.uint8), lossless=True, predictor=4))), "predictor"),
    ("deep.jpg", "12 bits under .50", meta(TransferSyntaxUID="1.2.840.10008.1.2.4.50"), "bits"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "change", "word"),
    [pytest.param(name, change, word, id=f"{name}: {what}") for name, what, change, word in [*BLIND_SPOTS, *OTHERS]],
)
def test_a_broken_file_is_found(name, change, word, good, tmp_path):
    with pydicom.config.disable_value_validation():
        dataset = pydicom.dcmread(good / "out" / f"{name}.dcm")
        change(dataset)
        buffer = io.BytesIO()
        pydicom.dcmwrite(buffer, dataset, enforce_file_format=False, little_endian=True, implicit_vr=False)
    path = tmp_path / "broken.dcm"
    path.write_bytes(buffer.getvalue())
    found = [str(finding) for finding in verify(path)]
    assert any(word in text for text in found), found


def raw(name, what, change, word):
    return pytest.param(name, change, word, id=f"{name}: {what}")


@pytest.mark.parametrize(
    ("name", "change", "word"),
    [
        raw("out/gray.png", "no preamble", lambda data: data[132:], "DICM"),
        raw("out/gray.png", "group length wrong", lambda data: data[:140] + struct.pack("<I", 184) + data[144:], "group length"),
        raw("out/gray.png", "cut off", lambda data: data[:-100], "PixelData"),
        raw("out/gray.png", "not a file", lambda _: b"text", "DICM"),
        raw("out/gray.png", "nothing", lambda _: b"", "DICM"),
        raw("out/gray.jpg", "the item's length", lambda data: data.replace(b"\xfe\xff\x00\xe0\x04\0\0\0", b"\xfe\xff\x00\xe0\x05\0\0\0", 1), "PixelData"),
        raw("out/gray.jpg", "the offset table", lambda data: data.replace(b"\xfe\xff\x00\xe0\x04\0\0\0\0\0\0\0", b"\xfe\xff\x00\xe0\x04\0\0\0\x09\0\0\0", 1), "Offset Table"),
        raw("rle/gray.png", "segments lost", lambda data: data.replace(struct.pack("<II", 1, 64), struct.pack("<II", 2, 64)), "segments"),
        raw("jpeg-ls/gray.png", "another size", lambda data: data.replace(b"\xff\xf7\0\x0b\x08\0\x20", b"\xff\xf7\0\x0b\x08\0\x21"), "in the stream"),
        raw("j2k-lossless/gray.png", "no end", lambda data: data.replace(b"\xff\xd9", b"\xff\xda"), "cut off"),
        raw("htj2k-lossless/color.png", "called RGB or not", lambda data: data.replace(b"YBR_RCT ", b"RGB     ").replace(b"RGB \x28", b"YBR \x28"), "colour"),
    ],
)  # fmt: skip
def test_a_broken_byte_is_found(name, change, word, good, tmp_path):
    data = (good / f"{name}.dcm").read_bytes()
    changed = change(data)
    assert changed != data
    path = tmp_path / "broken.dcm"
    path.write_bytes(changed)
    found = [str(finding) for finding in verify(path)]
    assert any(word in text for text in found), found


def test_any_damage_gives_findings_or_none_but_no_error(good, tmp_path):
    rng = np.random.default_rng(8)
    path = tmp_path / "damaged.dcm"
    for original in sorted(good.rglob("*.dcm")):
        data = original.read_bytes()
        for _ in range(8):
            damaged = bytearray(data)
            for at in rng.integers(0, len(data), 3):
                damaged[at] = rng.integers(256)
            path.write_bytes(damaged[: rng.integers(1, len(data))] if rng.integers(3) == 0 else damaged)
            verify(path)  # a finding, or damage that changes nothing it looks at


def test_the_command_says_what_it_finds_and_exits_so(good, tmp_path, bulkdcm_command):
    fine = bulkdcm_command("verify", good / "out", good / "rle/gray.png.dcm")
    assert (fine.returncode, fine.stdout) == (0, "9 files, 0 findings in 0 of them\n"), fine.stderr
    broken = tmp_path / "x.dcm"
    broken.write_bytes(b"x")
    wrong = bulkdcm_command("verify", good / "out", broken)
    assert wrong.returncode == 1
    assert f"{broken}: preamble: " in wrong.stdout
    assert "9 files, 1 finding in 1 of them" in wrong.stdout
    assert bulkdcm_command("verify", tmp_path / "missing").returncode == 2


def test_a_folder_with_nothing_to_verify_is_no_success(good, tmp_path, bulkdcm_command):
    (tmp_path / "empty/below").mkdir(parents=True)
    (tmp_path / "empty/below/notes.txt").write_text("text", encoding="utf-8")
    for paths in ([tmp_path / "empty"], [good / "out", tmp_path / "empty"]):
        with pytest.raises(SettingsError, match=r"empty: no DICOM file in it"):
            verify_all(paths)
        done = bulkdcm_command("verify", *paths)
        assert done.returncode == 2, done.stdout
        assert "empty: no DICOM file in it" in done.stderr
        assert not done.stdout


def test_what_is_not_there_or_a_url_is_no_success_in_python(tmp_path):
    with pytest.raises(SettingsError, match="no such file or folder"):
        verify_all([str(tmp_path / "missing")])
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(SettingsError, match="Not a directory"):
        verify_all([tmp_path / "file/x.dcm"])
    for ask in (verify, lambda path: verify_all([path])):
        with pytest.raises(SettingsError, match="this is a URL"):
            ask("s3://bucket/x.dcm")


@pytest.mark.parametrize(("code", "said"), [(13, "Permission denied"), (2, "No such file or directory")])
@pytest.mark.parametrize("shut", ["below", "here"])
def test_a_folder_that_cannot_be_listed_or_vanishes_is_a_finding(shut, code, said, good, tmp_path, monkeypatch, capsys):
    (tmp_path / "here/below").mkdir(parents=True)
    (tmp_path / "here/a.dcm").write_bytes((good / "out/gray.png.dcm").read_bytes())
    real = os.scandir

    def scandir(path):
        if str(path).endswith(shut):
            raise OSError(code, os.strerror(code), str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert run(["verify", str(tmp_path / "here"), "--n-jobs", "1"]) == 1
    told = capsys.readouterr().out
    assert f"{shut}: folder: can't be listed, so nothing in it was verified: {said}" in told
    assert f"{'1 file' if shut == 'below' else '0 files'}, 0 findings in 0 of them; 1 folder not looked into" in told
    assert sum(count for count, _ in verify_all([tmp_path / "here"], 1)) == (shut == "below")


def test_a_pipe_called_a_dicom_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "x.dcm")
    ((count, (finding,)),) = verify_all([tmp_path])
    assert (count, finding.rule) == (1, "can't be read: no regular file")
