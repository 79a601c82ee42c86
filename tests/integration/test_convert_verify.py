"""`convert --verify`: a fault of the converting code fails its row before anything is stored."""

from __future__ import annotations

import dataclasses
import hashlib

import numpy as np
import pytest
from PIL import Image

import bulkdcm
from bulkdcm import images, iods, uids
from bulkdcm.conversion import row as rows
from bulkdcm.images import alpha, native
from bulkdcm.iods import meaning, window
from tests.conformance.cases import write_manifest

QUIET = {"backend": "sequential", "fsync": False}


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(3)
    gray = rng.integers(0, 255, (20, 30), dtype=np.uint8)
    Image.fromarray(gray).save(tmp_path / "gray.png")
    Image.fromarray(rng.integers(0, 4000, (20, 30), dtype=np.uint16)).save(tmp_path / "deep.png")
    Image.fromarray(np.dstack([gray] * 3)).save(tmp_path / "equal.png")
    Image.fromarray(rng.integers(0, 255, (16, 24, 3), dtype=np.uint8)).save(tmp_path / "photo.jpg", quality=90)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(rng.integers(0, 255, (16, 24, 3), dtype=np.uint8)).save(tmp_path / "turned.jpg", exif=exif)
    Image.fromarray(np.dstack([gray, gray // 2])).save(tmp_path / "clear.png")
    names = ("gray.png", "deep.png", "equal.png", "photo.jpg", "turned.jpg", "clear.png")
    write_manifest(
        tmp_path / "m.csv", [{"source": n, "PatientID": "1", "InstanceNumber": i} for i, n in enumerate(names, start=1)]
    )
    return tmp_path


def convert(folder, **options):
    given = {"verify": True, "background": "#204060", "invert": False, **QUIET, **options}
    table = bulkdcm.convert(folder / "m.csv", folder / "out", **given).table
    return table.set_index("source")


def digests(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (folder / "out").glob("*.dcm")}


def test_a_right_run_converts_the_same_bytes(folder):
    assert set(convert(folder)["status"]) == {"converted"}
    verified = digests(folder)
    bulkdcm.convert(folder / "m.csv", folder / "plain", background="#204060", **QUIET)
    assert verified == {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (folder / "plain").glob("*.dcm")
    }


def off_by_one(module, name):
    """Return what makes the pixels that a function gives a little brighter."""

    def apply(monkeypatch):
        real = getattr(module, name)

        def wrong(*arguments, **options):
            frame = real(*arguments, **options)
            return frame if frame.pixels is None else dataclasses.replace(frame, pixels=frame.pixels ^ 1)

        monkeypatch.setattr(module, name, wrong)

    return apply


def a_turn_the_other_way(monkeypatch):
    turns = dict(native.orientation._TURNS)
    monkeypatch.setattr(native.orientation, "_TURNS", {**turns, 6: turns[8]})


def alpha_left_out(monkeypatch):
    monkeypatch.setattr(alpha, "flatten", lambda pixels, *_: (pixels, "dropped"))


def colour_kept(monkeypatch):
    monkeypatch.setattr(alpha, "_equal", lambda pixels: pixels)


def a_narrow_window(monkeypatch):
    monkeypatch.setattr(window, "_window", lambda *_: window.Window("7", "3"))


def another_patient(monkeypatch):
    real = iods.build

    def wrong(row, frame, instance):
        return real(dataclasses.replace(row, attributes={**row.attributes, "PatientID": "2"}), frame, instance)

    monkeypatch.setattr(iods, "build", wrong)


def another_uid(monkeypatch):
    real = uids.assign

    def wrong(*arguments):
        return dataclasses.replace(real(*arguments), series_instance_uid="1.2.3")

    monkeypatch.setattr("bulkdcm.objects.image.uids", type("uids", (), {"assign": staticmethod(wrong)}))


def a_comment_in_the_stream(monkeypatch):
    real = images.jpeg.jpeg_stream.JpegStream.without_metadata

    def wrong(self, data, *, keep_adobe):
        stream = real(self, data, keep_adobe=keep_adobe)
        return stream[:2] + b"\xff\xfe\0\x06Jane" + stream[2:]

    monkeypatch.setattr(images.jpeg.jpeg_stream.JpegStream, "without_metadata", wrong)


FAULTS = {
    "pixels": (off_by_one(meaning, "_fitted"), {"gray.png", "deep.png", "equal.png", "turned.jpg", "clear.png"}, "samples differ"),
    "a turn": (a_turn_the_other_way, {"turned.jpg"}, "samples differ"),
    "transparency": (alpha_left_out, {"clear.png"}, "follow from the source"),
    "gray": (colour_kept, {"equal.png"}, "20 colour, 30 x 20 gray follow"),
    "a window": (a_narrow_window, {"deep.png"}, "7/3 in the file"),
    "a value": (another_patient, None, "PatientID: isn't the manifest's value"),
    "a UID": (another_uid, None, "SeriesInstanceUID: 1.2.3 in the file"),
    "a stream": (a_comment_in_the_stream, {"photo.jpg"}, "it has a segment 0xfe"),
}  # fmt: skip


@pytest.mark.parametrize(("break_it", "sources", "words"), FAULTS.values(), ids=FAULTS)
def test_a_fault_of_the_converter_fails_its_rows_and_stores_nothing(break_it, sources, words, folder, monkeypatch):
    break_it(monkeypatch)
    table = convert(folder)
    failed = table[table["status"] == "failed"]
    assert set(failed.index) == (sources or set(table.index))
    assert set(failed["stage"]) == {"verify"}
    assert set(failed["error"]) == {"VerificationError"}
    assert all(words in message for message in failed["message"]), failed["message"].tolist()
    stored = {f"{name.partition('.')[0]}.dcm" for name in table.index if name not in failed.index}
    assert digests(folder).keys() == stored


def test_a_row_that_fails_keeps_its_earlier_output(folder, monkeypatch):
    convert(folder)
    before = digests(folder)
    another_patient(monkeypatch)
    text = (folder / "m.csv").read_text(encoding="utf-8")
    (folder / "m.csv").write_text(text.replace(",1,", ",3,"), encoding="utf-8")
    assert set(convert(folder)["status"]) == {"failed"}
    assert digests(folder) == before


def test_a_file_that_does_not_come_back_is_removed(folder, monkeypatch):
    real = rows._put

    def put(row, made, outputs):
        stored = real(row, made, outputs)
        if row.source == "gray.png":
            path = folder / "out" / stored.name
            path.write_bytes(path.read_bytes()[:-1] + b"\xff")
        return stored

    monkeypatch.setattr(rows, "_put", put)
    table = convert(folder)
    assert table["status"].to_dict()["gray.png"] == "failed"
    assert "doesn't come back as it was written" in table["message"]["gray.png"]
    assert len(digests(folder)) == 5


def test_workers_verify_too(folder):
    table = convert(folder, backend="loky", n_jobs=2)
    assert set(table["status"]) == {"converted"}
