"""Whole runs as on Windows, by emulation: outputs are those of Linux, nothing foreign is overwritten, and kills are survived."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bulkdcm.ledger.files import FOLDER
from bulkdcm.ledger.lock import Lock
from tests.windows.conftest import emulated

DEMO = Path(__file__).parents[2] / "manifests" / "demo"
MANIFEST = DEMO / "manifest.csv"
HEADER = "source,output,PatientID,PatientName,StudyDate,StudyTime,StudyID,SeriesNumber,InstanceNumber"


def outputs(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*.dcm")
    }


def manifest_of(folder: Path, cells: dict[str, str]) -> Path:
    """Write a manifest of images, each with its output, and copies of a real image."""
    lines = [HEADER]
    for number, (source, output) in enumerate(cells.items(), start=1):
        path = folder / source
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            shutil.copy(DEMO / "images" / "chest" / "frontal.png", path)
        lines.append(f"{source},{output},P1,A^B,20230102,101112,1,1,{number}")
    manifest = folder / "m.csv"
    manifest.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return manifest


@pytest.fixture(scope="module")
def on_linux(tmp_path_factory):
    out = tmp_path_factory.mktemp("linux") / "dicom"
    subprocess.run([sys.executable, "-m", "bulkdcm", "convert", MANIFEST, "-o", out, "-q"], check=False)
    return outputs(out)


@pytest.mark.parametrize(
    "options", [("-j", 2), ("-j", 1, "--backend", "sequential"), ("--backend", "threading")], ids=str
)
def test_a_run_writes_the_same_bytes_and_goes_on(options, on_windows, on_linux, tmp_path):
    out = tmp_path / "dicom"
    done = on_windows("convert", MANIFEST, "-o", out, *options)
    assert (done.returncode, outputs(out)) == (1, on_linux), done.stderr
    assert f"report: {out}".replace("/", "\\") in done.stdout, "the emulation wasn't there"
    again = on_windows("convert", MANIFEST, "-o", out, *options)
    assert "20 of 21 rows converted (20 of them before)" in again.stdout
    verified = on_windows("verify", out)
    assert verified.returncode == 0, verified.stdout
    shutil.rmtree(out / ".bulkdcm")
    rebuilt = on_windows("rebuild", MANIFEST, "-o", out)
    assert "20 of 21 rows" in rebuilt.stdout, rebuilt.stdout + rebuilt.stderr
    assert outputs(out) == on_linux


def test_what_a_run_can_t_do_there_is_said(on_windows, tmp_path):
    done = on_windows("convert", MANIFEST, "-o", tmp_path / "dicom")
    assert "note: --memory-limit is not enforced" in done.stderr


@pytest.mark.parametrize("packed", ["zip", "tar", "gztar"])
def test_sources_in_archives(packed, on_windows, on_linux, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(DEMO, data)
    made = Path(shutil.make_archive(str(tmp_path / "images"), packed, data, "images"))
    made.rename(data / made.name)
    text = MANIFEST.read_text(encoding="utf-8").replace("images/", f"{made.name}!images/")
    (data / "manifest.csv").write_text(text, encoding="utf-8")
    shutil.rmtree(data / "images")
    done = on_windows("convert", data / "manifest.csv", "-o", tmp_path / "dicom")
    assert sorted(outputs(tmp_path / "dicom").values()) == sorted(on_linux.values()), done.stdout + done.stderr


def test_a_killed_run_loses_nothing(on_windows, tmp_path):
    cells = {f"{number % 5}/{number}.png": "" for number in range(120)}
    manifest, out = manifest_of(tmp_path / "data", cells), tmp_path / "dicom"
    command = [sys.executable, "-m", "bulkdcm", "convert", manifest, "-o", out, "-j", "2", "--chunk-size", "4"]
    with subprocess.Popen(
        command, env=emulated(), start_new_session=True, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    ) as run:
        while run.poll() is None and len(list(out.rglob("*.dcm"))) < 10:
            time.sleep(0.005)
        run.send_signal(signal.SIGKILL)  # the parent alone: its workers end when they are idle there
    done = on_windows("convert", manifest, "-o", out)
    assert done.returncode == 0, done.stderr
    assert len(outputs(out)) == 120
    assert on_windows("verify", out).returncode == 0
    assert not [path for path in out.rglob("*") if path.name.endswith(("-tmp", "-staged"))]


def test_files_that_a_mapping_looks_for_in_any_folder(on_windows, tmp_path):
    images = tmp_path / "images"
    for number in (1, 2):
        (images / f"part_{number}" / "deep").mkdir(parents=True)
        shutil.copy(DEMO / "images" / "chest" / "frontal.png", images / f"part_{number}" / "deep" / f"{number}.png")
    (tmp_path / "t.csv").write_text("id\n1\n2\n", encoding="utf-8")
    mapping = '[columns]\nsource = { template = "**/{id}.png" }\nPatientID = { column = "id" }\n'
    (tmp_path / "m.toml").write_text(mapping, encoding="utf-8")
    done = on_windows(
        "convert", tmp_path / "t.csv", "--mapping", tmp_path / "m.toml", "--images", images, "-o", tmp_path / "out"
    )
    assert set(outputs(tmp_path / "out")) == {"part_1/deep/1.dcm", "part_2/deep/2.dcm"}, done.stderr


def test_two_runs_at_once_are_refused(on_windows, tmp_path):
    manifest, out = manifest_of(tmp_path / "data", {"1.png": ""}), tmp_path / "dicom"
    with Lock(out / FOLDER):
        done = on_windows("convert", manifest, "-o", out)
    assert done.returncode == 75
    assert f"another run is at this output folder: process {os.getpid()}" in done.stderr
    assert on_windows("convert", manifest, "-o", out).returncode == 0


@pytest.mark.parametrize(
    ("cell", "what"),
    [("a.png", "the source on line 2"), ("m.csv", "the manifest"), ("sub/../a.png", "the source on line 2")],
)
def test_no_output_takes_the_place_of_what_the_run_reads(cell, what, on_windows, tmp_path):
    manifest = manifest_of(tmp_path, {"a.png": "", "b.png": cell})
    before = manifest.read_bytes(), (tmp_path / "a.png").read_bytes()
    done = on_windows("convert", manifest, "-o", tmp_path)
    assert (done.returncode, what in done.stderr) == (3, True), done.stderr
    assert (manifest.read_bytes(), (tmp_path / "a.png").read_bytes()) == before


def test_an_unknown_file_stays(on_windows, tmp_path):
    manifest, out = manifest_of(tmp_path / "data", {"s/a.png": ""}), tmp_path / "dicom"
    (out / "s").mkdir(parents=True)
    (out / "s" / "a.dcm").write_text("precious", encoding="utf-8")
    done = on_windows("convert", manifest, "-o", out)
    assert (done.returncode, "s/a.dcm" in done.stderr) == (3, True), done.stderr
    assert (out / "s" / "a.dcm").read_text(encoding="utf-8") == "precious"


def test_swapped_and_changed_names(on_windows, tmp_path):
    data, out = tmp_path / "data", tmp_path / "dicom"
    on_windows("convert", manifest_of(data, {"1.png": "x/a.dcm", "2.png": "x/b.dcm", "3.png": "y/c.dcm"}), "-o", out)
    before = outputs(out)
    done = on_windows(
        "convert", manifest_of(data, {"1.png": "x/b.dcm", "2.png": "x/a.dcm", "3.png": "z/d.dcm"}), "-o", out
    )
    assert done.returncode == 0, done.stderr
    assert outputs(out) == {"x/b.dcm": before["x/a.dcm"], "x/a.dcm": before["x/b.dcm"], "z/d.dcm": before["y/c.dcm"]}


@pytest.mark.parametrize(
    "name", ["aux.dcm", "a/con", "COM1.x.dcm", "nul", "a:b.dcm", "a?.dcm", "a./b.dcm", "lpt¹.dcm", "a\\b.dcm"]
)
def test_an_output_that_windows_has_no_name_for_is_refused_before_anything_is_written(name, on_windows, tmp_path):
    manifest = manifest_of(tmp_path / "data", {"1.png": f'"{name}"', "2.png": ""})
    done = on_windows("convert", manifest, "-o", tmp_path / "dicom")
    assert (done.returncode, "indows" in done.stderr) == (3, True), done.stderr
    assert not outputs(tmp_path / "dicom")


@pytest.mark.parametrize("layout", ["mirror", "uid"])
def test_paths_that_are_too_long_there_are_refused_before_anything_is_written(layout, on_windows, tmp_path):
    manifest, out = (
        manifest_of(tmp_path / "data", {f"{'a' * 100}/{'b' * 100}.png": "", "2.png": ""}),
        tmp_path / "dicom",
    )
    done = on_windows("convert", manifest, "-o", out, "--layout", layout, longest=str(len(str(out)) + 170))
    assert (done.returncode, "shorter path" in done.stderr) == (3, True), done.stderr
    assert ("lines 2, 3" if layout == "uid" else "line 2,") in done.stderr
    assert not outputs(out)
    assert (
        on_windows("convert", manifest, "-o", out, "--layout", layout, longest=str(len(str(out)) + 250)).returncode == 0
    )


def test_a_first_manifest_of_a_folder(on_windows, tmp_path):
    shutil.copytree(DEMO / "images", tmp_path / "images")
    done = on_windows("init", tmp_path / "images", "--out", tmp_path / "m.csv")
    assert done.returncode == 0, done.stderr
    assert "\\" not in (tmp_path / "m.csv").read_text(encoding="utf-8")
    done = on_windows("convert", tmp_path / "m.csv", "--images", tmp_path / "images", "-o", tmp_path / "dicom")
    assert "20 of 21" in done.stdout, done.stdout + done.stderr


def test_a_first_manifest_of_an_archive(on_windows, tmp_path):
    shutil.make_archive(str(tmp_path / "x"), "tar", DEMO, "images")
    shutil.copytree(DEMO / "images", tmp_path / "images")
    for name in ("x.tar", "images"):
        done = on_windows("init", tmp_path / name, "--out", tmp_path / f"{name}.csv")
        assert done.returncode == 0, done.stderr
    packed, plain = ((tmp_path / f"{name}.csv").read_text(encoding="utf-8") for name in ("x.tar", "images"))
    assert packed.count("\n") >= plain.count("\n") > 10


@pytest.mark.parametrize("encoding", ["cp1252", "cp437", "gbk", "ascii"])
def test_a_console_of_any_encoding_shows_the_summary(encoding, on_windows, tmp_path):
    done = on_windows("convert", MANIFEST, "-o", tmp_path / "dicom", encoding=encoding)
    assert "20 of 21 rows converted" in done.stdout
    assert "\\u" not in done.stdout, done.stdout
