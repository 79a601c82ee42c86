"""`check --read` says before a run which rows their images will fail, in the words of the run."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

import bulkdcm
from bulkdcm.engines import ENGINES

GRAY = np.random.default_rng(5).integers(0, 255, (20, 24)).astype(np.uint8)


def png(pixels) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def gif() -> bytes:
    buffer = io.BytesIO()
    frames = [Image.fromarray(np.full((9, 9), value, np.uint8)) for value in (0, 200)]
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    return buffer.getvalue()


@pytest.fixture
def folder(tmp_path):
    images = {
        "good.png": png(GRAY),
        "colour.png": png(np.dstack([GRAY, GRAY, 255 - GRAY])),
        "tinted.png": png(np.dstack([GRAY, GRAY, np.minimum(GRAY, 250) + 3])),
        "cut.png": png(GRAY)[:-30],
        "frames.gif": gif(),
        "text.jpg": b"<html>404</html>",
        "gone.png": None,
    }
    lines = ["source,PatientID,PatientName,StudyDate,StudyTime,StudyID,SeriesNumber,InstanceNumber,sop_class,Modality"]
    for number, (name, data) in enumerate(images.items(), start=1):
        if data is not None:
            (tmp_path / name).write_bytes(data)
        lines.append(f"{name},1,A^B,20230101,101010,1,1,{number},CR,CR")
    (tmp_path / "m.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("backend", sorted(name for name, engine in ENGINES.items() if not engine.needs_address))
def test_each_row_that_would_fail_is_named_and_no_other(backend, folder):
    found = bulkdcm.check(folder / "m.csv", read=True, backend=backend)
    report = bulkdcm.convert(folder / "m.csv", folder / "out", backend="sequential").table
    failed = set(report["line"][report["status"] == "failed"])
    assert {line for problem in found for line in problem.lines} == failed == {3, 4, 5, 6, 7, 8}
    said = " ".join(map(str, found))
    for words in ("8-bit colour pixels can't be", "cut off", "GIF with 2 frames", "No such file", "not an image"):
        assert words in said
    assert not any(problem.severity == "warning" for problem in found)


def test_nothing_is_written(folder):
    before = sorted(folder.rglob("*"))
    bulkdcm.check(folder / "m.csv", read=True)
    assert sorted(folder.rglob("*")) == before


def test_options_that_make_an_image_fit_are_heeded(folder):
    found = bulkdcm.check(folder / "m.csv", read=True, backend="sequential", gray_tolerance=8)
    assert 4 not in {line for problem in found for line in problem.lines}


def test_the_command_says_it_with_its_exit_code(folder, bulkdcm_command):
    done = bulkdcm_command("check", folder / "m.csv", "--read", "--n-jobs", 2)
    assert done.returncode == bulkdcm.ManifestError.exit_code
    assert "lines 3, 4" in done.stdout + done.stderr
    plain = bulkdcm_command("check", folder / "m.csv")
    assert "8-bit colour" not in plain.stdout + plain.stderr


def test_rows_that_the_check_finds_at_fault_are_told_once(folder):
    text = (
        (folder / "m.csv").read_text(encoding="utf-8").replace("colour.png,1,A^B,20230101", "colour.png,1,A^B,20231301")
    )
    (folder / "m.csv").write_text(text, encoding="utf-8")
    found = bulkdcm.check(folder / "m.csv", read=True, backend="sequential")
    assert [problem.column for problem in found if 3 in problem.lines] == ["StudyDate"]
