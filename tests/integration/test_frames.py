"""Several images, or a file with several, as the frames of one object."""

from __future__ import annotations

import csv
import hashlib

import numpy as np
import pydicom
import pytest
from PIL import Image

import bulkdcm

ROW = {
    "PatientID": "1", "PatientName": "A^B", "StudyDate": "20230102", "StudyTime": "101112", "StudyID": "1",
    "SeriesNumber": "1", "InstanceNumber": "1", "BodyPartExamined": "CHEST", "BurnedInAnnotation": "NO",
}  # fmt: skip


def stack(count: int, shape=(20, 30), dtype=np.uint8) -> np.ndarray:
    return np.random.default_rng(5).integers(0, np.iinfo(dtype).max, (count, *shape), dtype=dtype)


def write(folder, rows: list[dict[str, object]]):
    with (folder / "m.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [*ROW, "source", "sop_class", "instance", "frame", "sha256"], restval="")
        writer.writeheader()
        writer.writerows([{**ROW, **row} for row in rows])
    return folder / "m.csv"


@pytest.fixture
def three(tmp_path):
    """Return a manifest of one object of three frames, out of order, and the frames' pixels."""
    frames = stack(3)
    for number, pixels in enumerate(frames, start=1):
        Image.fromarray(pixels).save(tmp_path / f"f{number}.png")
    rows = [{"source": f"f{n}.png", "sop_class": "SC-BYTE", "instance": "a", "frame": n} for n in (2, 3, 1)]
    return write(tmp_path, rows), frames


def test_rows_of_one_instance_become_its_frames_in_their_order(three, tmp_path):
    manifest, frames = three
    report = bulkdcm.convert(manifest, tmp_path / "out")
    assert list(report.table["status"]) == ["converted"] * 3
    assert report.table["output"].unique().tolist() == ["f1.dcm"]
    assert report.table["sop_instance_uid"].nunique() == 1
    assert report.table["source_sha256"].nunique() == 3
    dataset = pydicom.dcmread(tmp_path / "out/f1.dcm")
    assert dataset.NumberOfFrames == 3
    assert dataset[dataset.FrameIncrementPointer].value == [1, 2, 3]
    np.testing.assert_array_equal(dataset.pixel_array, frames)


def test_one_changed_frame_makes_its_object_anew_and_no_other(three, tmp_path):
    manifest, _ = three
    Image.fromarray(stack(1)[0]).save(tmp_path / "alone.png")
    with manifest.open("a", encoding="utf-8") as file:
        file.write(",".join([*ROW.values(), "alone.png", "", "", "", ""]) + "\n")
    out = tmp_path / "out"
    assert bulkdcm.convert(manifest, out).summary()["converted_now"] == 4
    assert bulkdcm.convert(manifest, out).summary()["converted_now"] == 0
    Image.fromarray(255 - stack(1)[0]).save(tmp_path / "f2.png")
    again = bulkdcm.convert(manifest, out)
    assert again.summary()["converted_now"] == 3
    assert list(again.table["reason"][:3]) == ["source changed"] * 3


def test_a_frame_taken_away_makes_its_object_anew(three, tmp_path):
    manifest, frames = three
    out = tmp_path / "out"
    bulkdcm.convert(manifest, out)
    lines = manifest.read_text(encoding="utf-8").splitlines(keepends=True)
    manifest.write_text("".join(lines[:2] + lines[3:]), encoding="utf-8")
    again = bulkdcm.convert(manifest, out)
    assert again.summary()["converted_now"] == 2
    np.testing.assert_array_equal(pydicom.dcmread(out / "f1.dcm").pixel_array, frames[:2])


def test_jpeg_frames_pass_through_one_fragment_each(tmp_path):
    rows = []
    for number, pixels in enumerate(stack(3, (24, 32, 3)), start=1):
        Image.fromarray(pixels).save(tmp_path / f"f{number}.jpg")
        rows.append({"source": f"f{number}.jpg", "sop_class": "SC-COLOR", "instance": "a", "frame": number})
    bulkdcm.convert(write(tmp_path, rows), tmp_path / "out")
    dataset = pydicom.dcmread(tmp_path / "out/f1.dcm")
    assert dataset.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.4.50"
    found = list(pydicom.encaps.generate_fragments(dataset.PixelData[8 + 12 :]))
    assert len(found) == 3
    for number, fragment in enumerate(found, start=1):
        scan = (tmp_path / f"f{number}.jpg").read_bytes()
        assert fragment.rstrip(b"\0").endswith(scan[scan.index(b"\xff\xda") :])


def test_a_png_beside_jpegs_is_decoded_with_them(tmp_path):
    gray = stack(2, (16, 16))
    Image.fromarray(gray[0]).save(tmp_path / "a.jpg")
    Image.fromarray(gray[1]).save(tmp_path / "b.png")
    rows = [
        {"source": name, "sop_class": "SC-BYTE", "instance": "a", "frame": n}
        for n, name in ((1, "a.jpg"), (2, "b.png"))
    ]
    report = bulkdcm.convert(write(tmp_path, rows), tmp_path / "out")
    assert set(report.table["transfer_syntax_uid"]) == {"1.2.840.10008.1.2.1"}
    np.testing.assert_array_equal(pydicom.dcmread(tmp_path / "out/a.dcm").pixel_array[1], gray[1])


def animated(form: str, path, frames: np.ndarray) -> None:
    first, *others = [Image.fromarray(pixels) for pixels in frames]
    options = {"lossless": True} if form == "WEBP" else {}
    first.save(path, form, save_all=True, append_images=others, **options)


@pytest.mark.parametrize(
    ("form", "name", "sop_class", "shape"),
    [
        ("TIFF", "a.tif", "SC-BYTE", (20, 30)),
        ("TIFF", "a.tif", "SC-COLOR", (20, 30, 3)),
        ("GIF", "a.gif", "SC-BYTE", (20, 30)),
        ("PNG", "a.png", "SC-COLOR", (20, 30, 3)),
        ("WEBP", "a.webp", "SC-COLOR", (20, 30, 3)),
    ],
)
def test_a_file_with_frames_gives_all_of_them(form, name, sop_class, shape, tmp_path):
    frames = stack(4, shape)
    animated(form, tmp_path / name, frames)
    report = bulkdcm.convert(write(tmp_path, [{"source": name, "sop_class": sop_class}]), tmp_path / "out")
    assert list(report.table["status"]) == ["converted"], report.table["message"].tolist()
    np.testing.assert_array_equal(pydicom.dcmread(tmp_path / "out/a.dcm").pixel_array, frames)


def test_a_tiff_of_16_bit_pages(tmp_path):
    frames = stack(3, dtype=np.uint16)
    animated("TIFF", tmp_path / "a.tif", frames)
    bulkdcm.convert(write(tmp_path, [{"source": "a.tif", "sop_class": "SC-WORD"}]), tmp_path / "out")
    np.testing.assert_array_equal(pydicom.dcmread(tmp_path / "out/a.dcm").pixel_array, frames)


def test_several_frames_in_a_class_without_them_say_which_class_has_them(tmp_path):
    animated("GIF", tmp_path / "a.gif", stack(2))
    report = bulkdcm.convert(write(tmp_path, [{"source": "a.gif"}]), tmp_path / "out")
    assert "SC-BYTE" in report.table["message"][0]


def test_frames_of_other_sizes_fail_all_rows_of_the_object_and_name_the_one(tmp_path):
    Image.fromarray(stack(1)[0]).save(tmp_path / "a.png")
    Image.fromarray(stack(1, (9, 9))[0]).save(tmp_path / "b.png")
    rows = [
        {"source": f"{name}.png", "sop_class": "SC-BYTE", "instance": "i", "frame": n} for n, name in enumerate("ab", 1)
    ]
    report = bulkdcm.convert(write(tmp_path, rows), tmp_path / "out")
    assert list(report.table["status"]) == ["failed"] * 2
    assert report.table["message"].str.startswith("b.png: a frame of 9 x 9").all()


@pytest.mark.parametrize(
    ("change", "column", "rule"),
    [
        ({"frame": "x"}, "frame", "whole number"),
        ({"frame": 1}, "frame", "same place"),
        ({"InstanceNumber": 7}, "InstanceNumber", "of the same instance"),
        ({"sop_class": "SC"}, "frame", "no frames"),
    ],
)
def test_frames_at_fault_are_found_before_the_run(change, column, rule, tmp_path):
    for name in "ab":
        Image.fromarray(stack(1)[0]).save(tmp_path / f"{name}.png")
    rows = [
        {"source": f"{name}.png", "sop_class": "SC-BYTE", "instance": "i", "frame": n} for n, name in enumerate("ab", 1)
    ]
    rows[1] |= change
    manifest = write(tmp_path, rows)
    problems = [problem for problem in bulkdcm.check(manifest) if problem.severity == "error"]
    assert any(problem.column == column and rule in problem.rule for problem in problems), list(map(str, problems))
    if change != {"sop_class": "SC"}:
        report = bulkdcm.convert(manifest, tmp_path / "out", skip_invalid=True)
        assert set(report.table["status"]) == {"failed"}  # the whole object


def test_a_frame_with_another_hash_fails_its_object(three, tmp_path):
    manifest, _ = three
    text = manifest.read_text(encoding="utf-8").splitlines()
    right, wrong = hashlib.sha256((tmp_path / "f2.png").read_bytes()).hexdigest(), "0" * 64
    for digest, status in ((right, "converted"), (wrong, "failed")):
        manifest.write_text("\n".join([text[0], text[1] + digest, *text[2:]]) + "\n", encoding="utf-8")
        report = bulkdcm.convert(manifest, tmp_path / digest[:4])
        assert set(report.table["status"]) == {status}
