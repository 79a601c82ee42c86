"""Hostile DICOM files: deflated bombs, and files that don't say what they are; as sources, in verify, show and templates."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zlib

import numpy as np
import pydicom
import pytest
from PIL import Image

import bulkdcm
from bulkdcm import dicom_file, template
from bulkdcm.errors import PixelError, SettingsError
from bulkdcm.model import Source
from bulkdcm.objects import restamp
from bulkdcm.validation import verify
from tests.systems import any_name

MAX_PIXELS = 10**6
FAR_TOO_MUCH = 2**27
NUMBERS = {"Rows": 0x00280010, "Columns": 0x00280011, "BitsStored": 0x00280101, "SamplesPerPixel": 0x00280002}


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """Return a deflated and a plain file of ours."""
    folder = tmp_path_factory.mktemp("good")
    Image.fromarray(np.arange(600, dtype=np.uint8).reshape(20, 30)).save(folder / "a.png")
    (folder / "m.csv").write_text("source,PatientID,BodyPartExamined\na.png,1,CHEST\n", encoding="utf-8")
    found = {}
    for syntax in ("deflated", "explicit"):
        bulkdcm.convert(folder / "m.csv", folder / syntax, transfer_syntax=syntax, backend="sequential")
        found[syntax] = (folder / syntax / "a.dcm").read_bytes()
    return found


def bomb(data, *chunks, before_pixels=True):
    """Return a deflated file with bytes put in the place of its pixels."""
    end, _ = dicom_file.meta_of(data)
    body = zlib.decompress(data[end:], -15)
    head = body[: body.index(b"\xe0\x7f\x10\x00")] if before_pixels else b""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    return data[:end] + b"".join(map(deflate.compress, (head, *chunks))) + deflate.flush()


def element(tag, vr, length):
    return struct.pack("<HH2sHI", tag >> 16, tag & 0xFFFF, vr, 0, length)


def rows_said(data, rows):
    end, _ = dicom_file.meta_of(data)
    body = zlib.decompress(data[end:], -15)
    for tag in (b"\x10\0", b"\x11\0"):
        at = body.index(b"\x28\0" + tag + b"US") + 8
        body = body[:at] + struct.pack("<H", rows) + body[at + 2 :]
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    return data[:end] + deflate.compress(body) + deflate.flush()


ZEROS = [bytes(2**20)] * (FAR_TOO_MUCH // 2**20)
BOMBS = {
    "pixels": lambda data: bomb(data, element(0x7FE00010, b"OW", FAR_TOO_MUCH), *ZEROS),
    "a text": lambda data: bomb(data, element(0x00080005, b"UT", FAR_TOO_MUCH), *ZEROS, before_pixels=False),
    "nothing but zeros": lambda data: bomb(data, *ZEROS, before_pixels=False),
    "rows that say so": lambda data: bomb(rows_said(data, 65535), element(0x7FE00010, b"OW", FAR_TOO_MUCH), *ZEROS),
}


@pytest.mark.parametrize("kind", BOMBS)
def test_a_deflated_bomb_is_refused_wherever_it_is_read(kind, good, tmp_path):
    data = BOMBS[kind](good["deflated"])
    assert len(data) < FAR_TOO_MUCH // 500
    path = tmp_path / "bomb.dcm"
    path.write_bytes(data)
    tracemalloc.start()
    with pytest.raises(PixelError, match=r"^bomb\.dcm: .*deflated.*(more than|--max-pixels)"):
        restamp.read_dicom(Source(path="bomb.dcm", data=data, sha256="", version=0), MAX_PIXELS)
    (finding,) = verify(path)
    assert "deflated" in finding.rule
    with pytest.raises(SettingsError, match="deflated"):
        template.read(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < FAR_TOO_MUCH // 4


def test_a_row_with_a_bomb_fails_and_the_others_go_on(good, tmp_path):
    (tmp_path / "bomb.dcm").write_bytes(BOMBS["pixels"](good["deflated"]))
    (tmp_path / "good.dcm").write_bytes(good["deflated"])
    (tmp_path / "m.csv").write_text("source,PatientID\nbomb.dcm,1\ngood.dcm,1\n", encoding="utf-8")
    frame = bulkdcm.convert(tmp_path / "m.csv", tmp_path / "out", backend="sequential").table
    assert frame["status"].tolist() == ["failed", "converted"]
    assert frame["stage"].tolist()[0] == "decode"


def test_a_large_deflated_image_is_read(good, tmp_path):
    # More than a data set may have beside its pixels, and explained by them.
    Image.fromarray(np.random.default_rng(1).integers(0, 255, (2500, 2500), dtype=np.uint8)).save(tmp_path / "a.png")
    (tmp_path / "m.csv").write_text("source,PatientID\na.png,1\n", encoding="utf-8")
    bulkdcm.convert(tmp_path / "m.csv", tmp_path / "out", transfer_syntax="deflated", backend="sequential")
    data = (tmp_path / "out/a.dcm").read_bytes()
    dataset = dicom_file.read(data, 10**7)
    assert len(dataset.PixelData) == 2500 * 2500
    assert dataset.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.1.99"
    assert verify(tmp_path / "out/a.dcm") == ()
    with pytest.raises(dicom_file.InflationError, match="--max-pixels 1000"):
        dicom_file.read(data, 1000)
    same = pydicom.dcmread(io.BytesIO(good["deflated"]))
    assert dicom_file.read(good["deflated"], 600) == same


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("cut off", lambda data: data[:-40], "cut off"),
        ("damaged", lambda data: data[:-60] + bytes(60), "deflated"),
    ],
)
def test_damage_of_a_deflated_file_is_said(name, change, words, good, tmp_path):
    del name
    (tmp_path / "a.dcm").write_bytes(change(good["deflated"]))
    assert words in str(verify(tmp_path / "a.dcm"))


def test_a_source_that_does_not_say_what_it_is_fails_by_itself(good, tmp_path):
    """No transfer syntax, several values where one is due, another type: each is its row's ordinary error."""
    changes = {}
    with pydicom.config.disable_value_validation():
        for name, apply in {
            "syntax": lambda dataset: dataset.file_meta.pop("TransferSyntaxUID"),
            "class": lambda dataset: setattr(dataset, "SOPClassUID", ["1.2.840.10008.5.1.4.1.1.7"] * 2),
            "instance": lambda dataset: setattr(dataset, "SOPInstanceUID", ["1.2", "1.3"]),
            **{
                f"{word} {keyword}": lambda dataset, tag=tag, vr=vr, value=value: dataset.add_new(tag, vr, value)
                for keyword, tag in NUMBERS.items()
                for word, vr, value in (("several", "US", [20, 20]), ("text", "LO", "many"), ("fraction", "FD", 1.5))
            },
        }.items():
            dataset = pydicom.dcmread(io.BytesIO(good["explicit"]))
            apply(dataset)
            buffer = io.BytesIO()
            pydicom.dcmwrite(buffer, dataset, enforce_file_format=False, little_endian=True, implicit_vr=False)
            changes[name.replace(" ", "_")] = buffer.getvalue()
    changes["syntaxes"] = good["explicit"].replace(b"1.2.840.10008.1.2.1\0", b"1.2.840\\10008.1.2.1\0", 1)
    for name, data in changes.items():
        (tmp_path / f"{name}.dcm").write_bytes(data)
    lines = ["source,PatientID", *(f"{name}.dcm,1" for name in changes)]
    (tmp_path / "m.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    frame = bulkdcm.convert(tmp_path / "m.csv", tmp_path / "out", backend="sequential").table
    assert set(zip(frame["status"], frame["stage"], strict=True)) == {("failed", "decode")}, frame["message"].tolist()
    for name in changes:
        found = verify(tmp_path / f"{name}.dcm")
        assert found, name
        assert not any("can't be read" in finding.rule for finding in found), found


@any_name
def test_control_characters_of_values_are_shown_and_not_sent(good, tmp_path, bulkdcm_command):
    dataset = pydicom.dcmread(io.BytesIO(good["explicit"]))
    with pydicom.config.disable_value_validation():
        dataset.StudyDescription = "a\x1b]0;owned\x07\x1b[2Jb\u202etxt"
        dataset.PatientSex = "\x1b[31mX"
        dataset.SOPClassUID = "1.2\x1b[5m"
        dataset.save_as(tmp_path / "a.dcm", enforce_file_format=False)
    path = tmp_path / "\x1b[7m.dcm"
    path.write_bytes((tmp_path / "a.dcm").read_bytes())
    for command in ("show", "verify"):
        done = bulkdcm_command(command, path)
        printed = done.stdout + done.stderr
        assert printed.isprintable() or set(printed) - {"\n"} == {c for c in printed if c.isprintable()}, printed
        assert r"\x1b" in printed
