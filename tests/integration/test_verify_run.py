"""What `bulkdcm verify` finds of a run: each kind of damage under its name, and nothing in what is right."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import sqlite3
from typing import TYPE_CHECKING

import imagecodecs
import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.encaps import encapsulate

import bulkdcm
from bulkdcm.cli import run
from bulkdcm.images import decoders
from bulkdcm.ledger.ledger import open_ledger
from bulkdcm.ledger.schema import CONTENT
from tests.conformance.cases import write_manifest

if TYPE_CHECKING:
    from pathlib import Path

COMMON = {
    "PatientID": "0012", "PatientName": "Zhang^San=张^三", "PatientSex": "F", "StudyDate": "20230726", "StudyID": "1",
    "SeriesNumber": "1", "BodyPartExamined": "CHEST", "sop_class": "CR", "ImagerPixelSpacing": "0.143\\0.143",
}  # fmt: skip
QUIET = {"backend": "sequential", "fsync": False}


def pixels(seed: int, dtype=np.uint8, top=255) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, top, (21, 33)).astype(dtype)


def jpeg(seed: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels(seed)).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def original(tmp_path_factory) -> Path:
    """Return a folder with images, m.csv and out/: gray PNG a, b; deep PNG deep; JPEG photo."""
    folder = tmp_path_factory.mktemp("run")
    for number, name in enumerate(("a", "b")):
        Image.fromarray(pixels(number)).save(folder / f"{name}.png")
    (folder / "deep.png").write_bytes(imagecodecs.png_encode(pixels(3, np.uint16, 4000)))
    (folder / "photo.jpg").write_bytes(jpeg(4))
    names = ("a.png", "b.png", "deep.png", "photo.jpg")
    write_manifest(
        folder / "m.csv", [{"source": name, **COMMON, "InstanceNumber": n} for n, name in enumerate(names, start=1)]
    )
    report = bulkdcm.convert(folder / "m.csv", folder / "out", **QUIET)
    assert report.exit_code == 0, report.table["message"].tolist()
    return folder


@pytest.fixture
def done(original, tmp_path) -> Path:
    shutil.copytree(original, tmp_path / "run")
    return tmp_path / "run"


def verified(folder: Path, **options) -> bulkdcm.Verification:
    return bulkdcm.verify(folder / "out", folder / "m.csv", **{"backend": "sequential", **options})


def kinds(found: bulkdcm.Verification) -> dict[str, set[str]]:
    return {kind: {f.path for f in found.findings if f.kind == kind} for kind in found.counts}


def adjust(folder: Path, name: str = "a.dcm", **other) -> None:
    """Make the ledger say of a file what it now is."""
    data = (folder / "out" / name).read_bytes()
    ledger = open_ledger(folder / "out", None)
    records = [dict(zip(CONTENT, row, strict=True)) for row in ledger.outcomes()]
    facts = {"output_sha256": hashlib.sha256(data).hexdigest(), "output_size_bytes": len(data)}
    ledger.record([{**record, **facts, **other} for record in records if record["output"] == name])
    ledger.close()


def change(folder: Path, name: str = "a.dcm", **values) -> None:
    """Write other values into a file, and have the ledger agree."""
    path = folder / "out" / name
    dataset = pydicom.dcmread(path)
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.save_as(path)
    adjust(folder, name)


def flip(folder: Path, at: int, name: str = "a.dcm") -> None:
    path = folder / "out" / name
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def bit_in_pixels(folder: Path) -> None:
    flip(folder, -100)
    adjust(folder)


def bit_in_a_scan(folder: Path) -> None:
    flip(folder, -100, "photo.dcm")
    adjust(folder, "photo.dcm")


def bit_in_metadata(folder: Path) -> None:
    data = (folder / "out/a.dcm").read_bytes()
    flip(folder, data.index(b"DERIVED\\SECONDARY") + 3)  # which the manifest doesn't give
    adjust(folder)


def bit_on_the_disk(folder: Path) -> None:
    flip(folder, -100)


def bit_in_meta_information(folder: Path) -> None:
    flip(folder, 20)  # of the preamble
    adjust(folder)


def swapped(folder: Path) -> None:
    a, b = folder / "out/a.dcm", folder / "out/b.dcm"
    first = a.read_bytes()
    a.write_bytes(b.read_bytes())
    b.write_bytes(first)


def swapped_and_adjusted(folder: Path) -> None:
    swapped(folder)
    adjust(folder, "a.dcm")
    adjust(folder, "b.dcm")


def other_pixels(folder: Path) -> None:
    theirs = pydicom.dcmread(folder / "out/b.dcm").PixelData
    change(folder, PixelData=theirs)


def other_stream(folder: Path) -> None:
    change(folder, "photo.dcm", PixelData=encapsulate([jpeg(5)]))


def wrong_meta(folder: Path) -> None:
    path = folder / "out/a.dcm"
    dataset = pydicom.dcmread(path)
    dataset.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    dataset.save_as(path)
    adjust(folder)


def same_uid_twice(folder: Path) -> None:
    uid = pydicom.dcmread(folder / "out/a.dcm").SOPInstanceUID
    change(folder, "b.dcm", SOPInstanceUID=uid)
    adjust(folder, "b.dcm", sop_instance_uid=uid)


def new_source(folder: Path) -> None:
    Image.fromarray(pixels(9)).save(folder / "a.png")


def half_made(folder: Path) -> None:
    (folder / "out/.123-456-00c0ffee.bulkdcm-tmp").write_bytes(b"half")


def manifest_says(old: str, new: str):
    def do(folder: Path) -> None:
        text = (folder / "m.csv").read_text(encoding="utf-8")
        assert text.count(old) == 4
        (folder / "m.csv").write_text(text.replace(old, new), encoding="utf-8")

    return do


EVERY = {"a.dcm", "b.dcm", "deep.dcm", "photo.dcm"}
DAMAGE = {
    "a bit of the pixels": (bit_in_pixels, {"pixels": {"a.dcm"}}),
    "a bit of a scan": (bit_in_a_scan, {"pixels": {"photo.dcm"}}),
    "a bit of the metadata": (bit_in_metadata, {"content": {"a.dcm"}}),
    "a bit of the preamble": (bit_in_meta_information, {"meta": {"a.dcm"}}),
    "a bit that the ledger doesn't know of": (bit_on_the_disk, {"checksum": {"a.dcm"}, "pixels": {"a.dcm"}}),
    "two files swapped": (swapped, {"checksum": {"a.dcm", "b.dcm"}, "swapped": {"a.dcm", "b.dcm"}}),
    "two files swapped, in agreement": (swapped_and_adjusted, {"swapped": {"a.dcm", "b.dcm"}}),
    "one deleted": (lambda folder: (folder / "out/a.dcm").unlink(), {"missing": {"a.dcm"}}),
    "one extra": (lambda folder: shutil.copy(folder / "out/a.dcm", folder / "out/x.dcm"), {"extra": {"x.dcm"}}),
    "one half-made": (half_made, {"half-made": {".123-456-00c0ffee.bulkdcm-tmp"}}),
    "a wrong SOP Instance UID": (lambda folder: change(folder, SOPInstanceUID="1.2.3"), {"uid": {"a.dcm"}}),
    "a wrong Study Instance UID": (lambda folder: change(folder, StudyInstanceUID="1.2.3"), {"uid": {"a.dcm"}}),
    "one UID twice": (same_uid_twice, {"uid": {"b.dcm"}, "duplicate": {"a.dcm", "b.dcm"}}),
    "a UID of the meta information": (wrong_meta, {"meta": {"a.dcm"}}),
    "another image's pixels": (other_pixels, {"pixels": {"a.dcm"}}),
    "another image's stream": (other_stream, {"pixels": {"photo.dcm"}}),
    "a changed window": (lambda folder: change(folder, "deep.dcm", WindowCenter="77"), {"window": {"deep.dcm"}}),
    "a changed spacing": (lambda folder: change(folder, ImagerPixelSpacing=["0.2", "0.2"]), {"value": {"a.dcm"}}),
    "a value that isn't the manifest's": (lambda folder: change(folder, PatientID="0013"), {"value": {"a.dcm"}}),
    "a value that is missing": (lambda folder: change(folder, PatientName=None), {"value": {"a.dcm"}}),
    "a manifest that changed": (manifest_says("0012", "0013"), {"value": EVERY}),
    "a name that changed": (lambda folder: rename_output(folder, "z.dcm"), {"manifest": {"a.dcm"}}),
    "a key that changed": (lambda folder: add_key(folder, "one"), {"manifest": EVERY}),
    "a source changed since": (new_source, {"source": {"a.dcm"}}),
    "a source gone": (lambda folder: (folder / "a.png").unlink(), {"source": {"a.dcm"}}),
    "no DICOM file": (lambda folder: wrote(folder, b"x"), {"unreadable": {"a.dcm"}}),
}  # fmt: skip


def rename_output(folder: Path, name: str) -> None:
    lines = (folder / "m.csv").read_text(encoding="utf-8").splitlines()
    text = "\n".join([f"output,{lines[0]}", f"{name},{lines[1]}", *(f",{line}" for line in lines[2:])])
    (folder / "m.csv").write_text(text + "\n", encoding="utf-8")


def add_key(folder: Path, key: str) -> None:
    lines = (folder / "m.csv").read_text(encoding="utf-8").splitlines()
    text = "\n".join([f"study,{lines[0]}", *(f"{key},{line}" for line in lines[1:])])
    (folder / "m.csv").write_text(text + "\n", encoding="utf-8")


def wrote(folder: Path, data: bytes) -> None:
    (folder / "out/a.dcm").write_bytes(data)
    adjust(folder)


@pytest.mark.parametrize(("do", "expected"), DAMAGE.values(), ids=DAMAGE)
def test_each_damage_is_found_under_its_kind_and_nothing_else(do, expected, done):
    do(done)
    found = verified(done)
    told = {kind: paths for kind, paths in kinds(found).items() if kind != "standard"}
    assert told == expected, list(map(str, found.findings))
    assert found.exit_code == 1
    assert not found.ok


def test_nothing_is_found_in_a_run_that_is_right_and_the_ledger_knows_its_manifest(done):
    bulkdcm.convert(done / "m.csv", done / "out", **QUIET)
    found = bulkdcm.verify(done / "out", backend="sequential")
    assert (found.files, found.proved, found.findings, found.exit_code) == (4, 4, (), 0)
    assert found.by["equal scan bytes"] == 1
    assert found.by[f"fresh decoding by {'Pillow' if decoders.release() else 'imagecodecs'}"] == 3
    assert json.loads((done / "out/verify.json").read_text(encoding="utf-8")) == found.summary()
    assert not (done / "out/.bulkdcm/verifying.sqlite").exists()
    again = bulkdcm.convert(done / "m.csv", done / "out", **QUIET)  # verify.json is in nobody's way
    assert again.summary()["converted_now"] == 0


def test_without_its_manifest_a_run_is_compared_with_the_ledger_and_that_is_said(done):
    bulkdcm.convert(done / "m.csv", done / "out", **QUIET)  # the folder is a copy
    (done / "m.csv").unlink()
    found = bulkdcm.verify(done / "out", backend="sequential")
    assert (found.files, found.proved, found.findings) == (4, 0, ())
    assert any("Give --manifest" in note and "m.csv isn't there" in note for note in found.notes)
    bit_on_the_disk(done)
    change(done, "b.dcm", StudyInstanceUID="1.2.3")
    assert kinds(bulkdcm.verify(done / "out", backend="sequential")) == {"checksum": {"a.dcm"}, "uid": {"b.dcm"}}


def test_an_option_of_the_call_wins_over_the_one_that_the_ledger_knows(done):
    bulkdcm.convert(done / "m.csv", done / "out", **QUIET)
    (done / "moved").mkdir()
    for name in ("a.png", "b.png", "deep.png", "photo.jpg"):
        (done / name).rename(done / "moved" / name)
    assert set(bulkdcm.verify(done / "out", backend="sequential").counts) == {"source"}
    assert bulkdcm.verify(done / "out", backend="sequential", images=done / "moved").ok


def test_without_sources_all_but_pixels_is_proved(done):
    (done / "a.png").unlink()
    other_pixels(done)
    change(done, "b.dcm", PatientID="0013")
    found = verified(done, sources=False)
    assert kinds(found) == {"value": {"b.dcm"}}
    assert any("pixels were not compared" in note for note in found.notes)


def test_a_sample_looks_at_so_many_files_and_for_every_missing_or_extra_one(done):
    shutil.copy(done / "out/a.dcm", done / "out/x.dcm")
    found = verified(done, sample=2)
    assert (found.files, kinds(found)) == (2, {"extra": {"x.dcm"}})
    assert "2 of 4 files were looked at (--sample)" in found.notes


def test_identifying_values_are_not_repeated(done):
    change(done, PatientID="S3CRET")
    change(done, "b.dcm", ImagerPixelSpacing=["0.2", "0.2"])
    text = json.dumps(verified(done).summary(), ensure_ascii=False)
    assert "S3CRET" not in text
    assert "0012" not in text
    assert "0.2" in text


def test_an_interrupted_verification_goes_on_and_one_that_ended_begins_anew(done, monkeypatch):
    looked = []
    real = bulkdcm.conversion.proving.Proving.go

    def go(self):
        if len(looked) == 2:
            raise KeyboardInterrupt
        real(self)
        looked.append((self.record["output"], self.again))

    monkeypatch.setattr(bulkdcm.conversion.proving.Proving, "go", go)
    bit_in_pixels(done)
    first = verified(done, chunk_size=1)
    assert first.interrupted == first.exit_code == 130
    assert json.loads((done / "out/verify.json").read_text(encoding="utf-8"))["complete"] is False
    looked.clear()
    monkeypatch.setattr(
        bulkdcm.conversion.proving.Proving,
        "go",
        lambda self: (real(self), looked.append((self.record["output"], self.again))),
    )
    second = verified(done, chunk_size=1)
    # What was right is not looked at again, what was not is.
    assert looked == [("a.dcm", False), ("b.dcm", True), ("deep.dcm", False), ("photo.dcm", False)]
    assert kinds(second) == {"pixels": {"a.dcm"}}
    assert any("1 file found right before" in note for note in second.notes)
    looked.clear()
    verified(done, chunk_size=1)
    assert [again for _, again in looked] == [False] * 4


def test_what_changed_since_an_interruption_is_looked_at_again(done, monkeypatch):
    real = bulkdcm.conversion.proving.Proving.go
    seen = []

    def go(self):
        if len(seen) == 3:
            raise KeyboardInterrupt
        real(self)
        seen.append(self)

    monkeypatch.setattr(bulkdcm.conversion.proving.Proving, "go", go)
    assert verified(done, chunk_size=1).interrupted
    monkeypatch.setattr(bulkdcm.conversion.proving.Proving, "go", real)
    other_pixels(done)
    new_source(done)
    (done / "b.png").touch()
    os.utime(done / "b.png", ns=(1, 1))
    found = verified(done, chunk_size=1)
    assert kinds(found) == {"source": {"a.dcm"}}
    assert any("1 file found right before" in note for note in found.notes)  # deep.dcm


def test_again_forgets_an_interrupted_verification(done):
    path = done / "out/.bulkdcm/verifying.sqlite"
    path.write_bytes(b"no database, and no reason to fail")
    assert verified(done).ok
    path.write_bytes(b"")
    assert verified(done, again=True).ok
    assert not path.exists()


def test_an_earlier_verification_does_not_stand_for_one_that_is_refused(done):
    assert verified(done).ok
    (done / "m.csv").write_text("nothing,of,that\n", encoding="utf-8")
    with pytest.raises(bulkdcm.ManifestError):
        verified(done)
    assert not (done / "out/verify.json").exists()


def test_a_column_that_no_run_would_take_is_what_no_file_has(done):
    text = (done / "m.csv").read_text(encoding="utf-8")
    (done / "m.csv").write_text(text.replace("BodyPartExamined", "BodyPart"), encoding="utf-8")
    assert kinds(verified(done)) == {"value": EVERY}


def test_a_foreign_verify_json_is_not_replaced(done):
    (done / "out/verify.json").write_text("{}", encoding="utf-8")
    with pytest.raises(bulkdcm.StorageError, match="is no verification of bulkdcm"):
        verified(done)


def test_a_damaged_ledger_is_an_error(done):
    connection = sqlite3.connect(done / "out/.bulkdcm/ledger.sqlite")
    connection.execute("UPDATE outcome SET sop_instance_uid = '1.2' WHERE ordinal = 0")
    connection.commit()
    connection.close()
    with pytest.raises(bulkdcm.LedgerError, match="not what was written"):
        verified(done)


def test_the_command_groups_findings_with_a_remedy(done, capsys):
    bit_in_pixels(done)
    swapped_and_adjusted_of = ["verify", str(done / "out"), "--backend", "sequential"]
    assert run(swapped_and_adjusted_of) == 1
    told = capsys.readouterr().out
    assert (
        "pixels: pixels that aren't the source's: 1\n  a.dcm: PixelData: 1 of 693 samples differ, by up to 1\n" in told
    )
    assert "please report it with the image" in told
    assert told.endswith("4 files, 3 proved; 1 finding in 1 of them\n")
    assert run([*swapped_and_adjusted_of, "--json"]) == 1
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert found[-1]["kinds"]["pixels"]["count"] == 1
    assert [(one["kind"], one["line"]) for one in found if one["event"] == "finding"] == [("pixels", 2)]


def test_files_of_no_run_are_checked_against_themselves(done, tmp_path):
    (tmp_path / "plain").mkdir()
    shutil.copy(done / "out/a.dcm", tmp_path / "plain/a.dcm")
    found = bulkdcm.verify(tmp_path / "plain", n_jobs=1)
    assert (found.files, found.ok) == (1, True)
    assert not (tmp_path / "plain/verify.json").exists()
    wrong = pydicom.dcmread(tmp_path / "plain/a.dcm")
    wrong.BitsStored = 7
    wrong.save_as(tmp_path / "plain/a.dcm")
    assert "standard" in bulkdcm.verify(tmp_path / "plain", n_jobs=1).counts


def test_workers_prove_as_the_own_process_does(done):
    bit_in_pixels(done)
    alone, together = verified(done), verified(done, backend="loky", n_jobs=2)
    assert alone.findings == together.findings
    assert alone.by == together.by
