"""`bulkdcm.toml` beside a manifest, and a run that goes on by its folder's name alone: the real command."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import bulkdcm
from bulkdcm.errors import ManifestError
from bulkdcm.ledger.files import FILE, FOLDER
from bulkdcm.settings_file import NAME
from tests.systems import shown

HEADER = "source,PatientID,PatientName,StudyDate,StudyTime,StudyID,SeriesNumber,InstanceNumber"
FIXTURES = Path(__file__).parents[1] / "fixtures"
COUNT = 40
TOML = 'images = "png"\nout = "dicom"\ntransfer-syntax = "rle"\nn_jobs = 1\n\n[set]\nModality = "CR"\nStudyDescription = "of the file"\n'


@pytest.fixture
def project(tmp_path) -> Path:
    """Return a folder with a manifest, its images in another, and a settings file."""
    folder = tmp_path / "project"
    (folder / "png").mkdir(parents=True)
    lines = [HEADER]
    for number in range(COUNT):
        pixels = np.roll(np.arange(4096, dtype=np.uint16).reshape(64, 64), number)
        Image.fromarray(pixels).save(folder / "png" / f"{number}.png")
        lines.append(f"{number}.png,1,A^B,20230101,101112,1,1,{number + 1}")
    (folder / "manifest.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / NAME).write_text(TOML, encoding="utf-8")
    return folder


def outputs(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.dcm")}


def plan(run, *arguments) -> dict[str, int]:
    done = run("convert", *arguments, "--dry-run", "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])["plan"]


def test_a_manifest_is_enough_with_a_settings_file_and_the_command_line_wins(project, bulkdcm_command, tmp_path):
    done = bulkdcm_command("convert", project / "manifest.csv", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"settings from {shown(project / NAME)}: images, out, transfer-syntax, n-jobs, set\n" in done.stderr
    by_hand = bulkdcm_command(
        "convert", "manifest.csv", "-o", "by hand", "--no-settings", "--images", "png", "--transfer-syntax", "rle",
        "--set", "Modality=CR", "--set", "StudyDescription=of the file", cwd=project,
    )  # fmt: skip
    assert by_hand.returncode == 0, by_hand.stderr
    assert "settings from" not in by_hand.stderr
    assert outputs(project / "dicom") == outputs(project / "by hand") != {}
    quiet = bulkdcm_command("convert", project / "manifest.csv", "-q")
    assert (quiet.stdout, quiet.stderr) == ("", "")
    again = bulkdcm_command("convert", project / "manifest.csv", "--set", "Modality=OT", "--json", "--dry-run")
    told = [json.loads(line) for line in again.stdout.splitlines()]
    assert [one["options"] for one in told if one["event"] == "settings"] == [
        ["images", "out", "transfer-syntax", "n-jobs", "set"]
    ]
    assert again.stderr == ""
    assert told[-1]["plan"] == {"metadata changed": COUNT}
    checked = bulkdcm_command("check", project / "manifest.csv")
    assert (checked.returncode, "images, transfer-syntax, n-jobs, set" in checked.stderr) == (0, True)


def test_a_path_that_leads_elsewhere_is_told(project, bulkdcm_command, tmp_path):
    shutil.move(project / "png", tmp_path / "elsewhere")
    (project / NAME).write_text('images = "../elsewhere"\nout = "dicom"\n', encoding="utf-8")
    done = bulkdcm_command("convert", project / "manifest.csv")
    assert done.returncode == 0, done.stderr
    assert f"images ({shown(os.path.realpath(tmp_path / 'elsewhere'))}), out" in done.stderr


def pipe(path: Path) -> None:
    os.mkfifo(path)


def large(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(100_000_000)


HOSTILE = {
    "a pipe": (pipe, "not a regular file"),
    "a folder": (Path.mkdir, "not a regular file"),
    "100 MB": (large, "more than 64,000 bytes"),
    "a link to a device": (lambda path: path.symlink_to("/dev/zero"), "not a regular file"),
    "a link to nothing": (lambda path: path.symlink_to("nowhere"), "No such file or directory"),
    "no UTF-8": (lambda path: path.write_bytes(b'images = "\xff"'), "can't decode byte 0xff in position 10"),
    "no TOML": (lambda path: path.write_text("images = [\n", encoding="utf-8"), "at end of document"),
    "nested": (lambda path: path.write_text("set = " + "[" * 30_000, encoding="utf-8"), "nested too deeply"),
    "a key of many parts": (lambda path: path.write_text("a." * 20_000 + "a = 1", encoding="utf-8"), "more than 20 parts"),
    "another's option": (lambda path: path.write_text("prune = true", encoding="utf-8"), "prune can't be set in a file"),
}  # fmt: skip


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_settings_file_that_is_none_is_an_error_with_its_name_and_can_be_left_alone(kind, project, bulkdcm_command):
    make, said = HOSTILE[kind]
    (project / NAME).unlink()
    make(project / NAME)
    arguments = ("convert", "manifest.csv", "-o", "dicom", "--images", "png", "--set", "Modality=CR")
    done = bulkdcm_command(*arguments, cwd=project)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: {NAME}: ")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (project / "dicom").exists()
    assert bulkdcm_command(*arguments, "--no-settings", cwd=project).returncode == 0


def test_programs_are_told_of_such_an_error_too(project, bulkdcm_command):
    (project / NAME).write_text("imags = 1", encoding="utf-8")
    done = bulkdcm_command("convert", "manifest.csv", "-o", "dicom", "--json", cwd=project)
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["event"] for one in told] == ["start", "refused"]
    assert told[-1]["exit_code"] == done.returncode == 2


def test_a_link_to_a_settings_file_is_followed_and_a_mark_is_passed_over(project, bulkdcm_command):
    (project / NAME).rename(project / "shared.toml")
    (project / NAME).symlink_to("shared.toml")
    (project / "shared.toml").write_bytes(b"\xef\xbb\xbf" + TOML.encode())
    assert bulkdcm_command("convert", project / "manifest.csv").returncode == 0


def test_a_value_that_only_the_run_finds_wrong_is_told_with_the_file(project, bulkdcm_command):
    (project / NAME).write_text('images = "none"\nout = "dicom"\n', encoding="utf-8")
    done = bulkdcm_command("convert", project / "manifest.csv")
    assert (
        done.returncode,
        f"error: {shown(project / NAME)}: images {shown(project / 'none')}: no such folder" in done.stderr,
    ) == (
        2,
        True,
    )
    by_hand = bulkdcm_command("convert", project / "manifest.csv", "--images", "none")
    assert "error: --images none: no such folder" in by_hand.stderr


def test_a_broken_settings_file_hinders_neither_help_nor_completion(project, bulkdcm_command):
    (project / NAME).write_text("no toml", encoding="utf-8")
    assert bulkdcm_command("convert", "manifest.csv", "--help", cwd=project).returncode == 0
    asked = {
        "_BULKDCM_COMPLETE": "bash_complete",
        "COMP_WORDS": "bulkdcm convert manifest.csv --no-s",
        "COMP_CWORD": "3",
    }
    shown = bulkdcm_command(cwd=project, env_add=asked)
    assert "--no-settings" in shown.stdout
    assert shown.stderr == ""


@pytest.mark.parametrize("linked", [False, True])
def test_no_output_takes_the_place_of_the_settings_file(linked, project):
    rows = (project / "manifest.csv").read_text(encoding="utf-8").splitlines()[:2]
    name = "another.dcm" if linked else NAME
    if linked:
        (project / name).hardlink_to(project / NAME)
    (project / "manifest.csv").write_text(f"{rows[0]},output\n{rows[1]},{name}\n", encoding="utf-8")
    with pytest.raises(ManifestError) as caught:
        bulkdcm.convert(project / "manifest.csv", project, images=project / "png", overwrite=True, backend="sequential")
    assert "the settings file" in caught.value.problems[0].text
    assert (project / NAME).read_text(encoding="utf-8") == TOML


def test_python_reads_no_settings_file(project):
    (project / NAME).write_text("no toml", encoding="utf-8")
    assert (
        bulkdcm.convert(project / "manifest.csv", project / "o", images=project / "png", n_jobs=1).count("converted")
        == COUNT
    )


@pytest.fixture
def killed(project) -> Path:
    """Return the project after its run was killed amid its work."""
    command = [sys.executable, "-m", "bulkdcm", "convert", str(project / "manifest.csv"), "--chunk-size", "1"]
    with subprocess.Popen(
        [*command, "--backend", "sequential"], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    ) as run:
        limit = time.monotonic() + 60
        while not outputs(project / "dicom") and run.poll() is None and time.monotonic() < limit:
            time.sleep(0.002)
        run.kill()
    assert 0 < len(outputs(project / "dicom")) < COUNT
    return project


def test_a_killed_run_goes_on_by_its_folder_s_name_alone_to_the_same_bytes(killed, bulkdcm_command, tmp_path):
    (killed / NAME).unlink()  # a run keeps what it was given
    done = bulkdcm_command("convert", f"{killed / 'dicom'}/", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"going on with the run of {shown(killed / 'manifest.csv')}; as before: images, " in done.stderr
    (killed / NAME).write_text(TOML, encoding="utf-8")
    whole = bulkdcm_command("convert", killed / "manifest.csv", "-o", killed / "whole")
    assert whole.returncode == 0, whole.stderr
    assert outputs(killed / "dicom") == outputs(killed / "whole")
    assert plan(bulkdcm_command, killed / "dicom") == {"done": COUNT}
    assert bulkdcm_command("verify", killed / "dicom").returncode == 0


@pytest.fixture
def done(project, bulkdcm_command) -> Path:
    finished = bulkdcm_command("convert", project / "manifest.csv")
    assert finished.returncode == 0, finished.stderr
    return project


def test_what_the_command_line_gives_wins_and_is_said(done, bulkdcm_command):
    said = bulkdcm_command("convert", done / "dicom", "--layout", "uid", "--set", "Modality=OT", "--dry-run")
    assert "; as before: images, n-jobs, transfer-syntax, set; as given now: set, layout\n" in said.stderr
    assert plan(bulkdcm_command, done / "dicom", "--transfer-syntax", "explicit") == {"settings changed": COUNT}
    assert plan(bulkdcm_command, done / "dicom") == {"done": COUNT}
    told = bulkdcm_command("convert", done / "dicom", "--dry-run", "--json").stdout
    assert json.loads(told.splitlines()[1])["of"] == "settings of the last run"
    checked = bulkdcm_command("check", done / "dicom")
    assert (checked.returncode, "going on with the run of" in checked.stderr) == (0, True)


def test_what_is_about_one_run_is_not_done_again(done, bulkdcm_command):
    rows = (done / "manifest.csv").read_text(encoding="utf-8").splitlines()
    (done / "manifest.csv").write_text("\n".join(rows[:-1]) + "\n", encoding="utf-8")
    assert bulkdcm_command("convert", done / "dicom", "--prune").returncode == 0
    assert len(outputs(done / "dicom")) == COUNT - 1
    (done / "manifest.csv").write_text("\n".join(rows[:-2]) + "\n", encoding="utf-8")
    assert bulkdcm_command("convert", done / "dicom").returncode == 0
    assert len(outputs(done / "dicom")) == COUNT - 1


def test_a_part_of_the_rows_stays_one_until_all_are_asked_for(project, bulkdcm_command):
    assert bulkdcm_command("convert", project / "manifest.csv", "--sample", 5).returncode == 0
    assert plan(bulkdcm_command, project / "dicom") == {"done": 5, "not selected": COUNT - 5}
    assert plan(bulkdcm_command, project / "dicom", "--sample", 0) == {"done": 5, "new": COUNT - 5}


def test_a_refused_run_leaves_what_the_last_one_was_given(done, bulkdcm_command, tmp_path):
    (tmp_path / "none").mkdir()
    assert bulkdcm_command("convert", done / "manifest.csv", "--images", tmp_path / "none").returncode == 3
    assert plan(bulkdcm_command, done / "dicom") == {"done": COUNT}


def test_a_project_may_move_and_of_a_copy_it_is_asked_which_is_meant(done, bulkdcm_command, tmp_path):
    shutil.copytree(done, tmp_path / "copy")
    asked = bulkdcm_command("convert", tmp_path / "copy" / "dicom")
    assert asked.returncode == 3
    assert shown(done / "manifest.csv") in asked.stderr
    assert shown(tmp_path / "copy" / "manifest.csv") in asked.stderr
    done.rename(tmp_path / "moved")
    assert plan(bulkdcm_command, tmp_path / "moved" / "dicom") == {"done": COUNT}
    assert bulkdcm_command("verify", tmp_path / "moved" / "dicom").stdout.endswith(
        f"{COUNT} proved; 0 findings in 0 of them\n"
    )


def test_a_folder_that_moved_alone_finds_its_manifest(done, bulkdcm_command, tmp_path):
    (done / "dicom").rename(tmp_path / "alone")
    assert plan(bulkdcm_command, tmp_path / "alone") == {"done": COUNT}


def test_without_its_manifest_a_run_says_what_to_do(done, bulkdcm_command):
    (done / "manifest.csv").rename(done / "other.csv")
    said = bulkdcm_command("convert", "dicom", cwd=done)
    assert (said.returncode, said.stderr.count("\n")) == (3, 1)
    assert f"isn't there: {shown(done / 'manifest.csv')}. Name the manifest, with the run's options: " in said.stderr
    assert "`bulkdcm convert MANIFEST --out dicom`" in said.stderr


def test_of_the_standard_input_there_is_nothing_to_go_on_with(project, bulkdcm_command):
    given = (project / "manifest.csv").read_text(encoding="utf-8")
    assert bulkdcm_command("convert", "-", cwd=project, input=given).returncode == 0
    said = bulkdcm_command("convert", "dicom", cwd=project)
    assert (said.returncode, "the manifest of its run was no file" in said.stderr) == (3, True)


def test_a_ledger_elsewhere_has_to_be_named_again(project, bulkdcm_command, tmp_path):
    ledger = tmp_path / "l.sqlite"
    assert bulkdcm_command("convert", project / "manifest.csv", "--ledger", ledger).returncode == 0
    said = bulkdcm_command("convert", project / "dicom")
    assert (said.returncode, "name that with --ledger" in said.stderr) == (4, True)
    assert plan(bulkdcm_command, project / "dicom", "--ledger", ledger) == {"done": COUNT}


def test_a_folder_without_a_run_is_told_from_one_with(project, bulkdcm_command):
    (project / NAME).unlink()
    said = bulkdcm_command("convert", "png", cwd=project)
    assert said.returncode == 3
    assert "png: this is a folder. Name a manifest" in said.stderr
    assert "To go on with a run, name its output folder alone." in said.stderr


def test_another_out_is_no_going_on(done, bulkdcm_command):
    said = bulkdcm_command("convert", done / "dicom", "-o", done / "other")
    assert (said.returncode, "this is a folder" in said.stderr) == (3, True)
    assert not (done / "other").exists()
    assert bulkdcm_command("convert", done / "dicom", "-o", f"{done / 'dicom'}/", "--dry-run").returncode == 0


@pytest.mark.parametrize("name", ["ledger_0.1.0", "ledger_2"])
def test_a_ledger_of_an_earlier_release_says_that_it_does_not_know(name, tmp_path, bulkdcm_command):
    (tmp_path / FOLDER).mkdir()
    shutil.copy(FIXTURES / name / FILE, tmp_path / FOLDER / FILE)
    said = bulkdcm_command("convert", tmp_path)
    assert (said.returncode, "since an earlier release wrote it" in said.stderr) == (3, True)


def test_what_an_earlier_release_noted_for_verify_is_not_taken_for_all(done, bulkdcm_command):
    """It left out what decides pixels: to go on with so little would make all files anew, and others."""
    ledger = sqlite3.connect(done / "dicom" / FOLDER / FILE)
    (text,) = ledger.execute("SELECT value FROM fact WHERE name = 'given'").fetchone()
    earlier = {key: value for key, value in json.loads(text).items() if key in {"manifest", "options"}}
    with ledger:
        ledger.execute("UPDATE fact SET value = ? WHERE name = 'given'", (json.dumps(earlier),))
    ledger.close()
    said = bulkdcm_command("convert", done / "dicom")
    assert (said.returncode, "since an earlier release wrote it" in said.stderr) == (3, True)
    assert bulkdcm_command("verify", done / "dicom").returncode == 0


def test_a_call_in_python_is_gone_on_with_by_the_command(project, bulkdcm_command):
    bulkdcm.convert(
        project / "manifest.csv", project / "o", images=project / "png", n_jobs=1, defaults={"Modality": "OT"}
    )
    assert plan(bulkdcm_command, project / "o") == {"done": COUNT}


def test_the_key_of_uids_is_kept_by_its_path_alone(project, bulkdcm_command):
    (project / "secret.txt").write_text("SECRET-OF-ALL-UIDS-HERE", encoding="utf-8")
    assert (
        bulkdcm_command("convert", project / "manifest.csv", "--uid-key-file", project / "secret.txt").returncode == 0
    )
    assert plan(bulkdcm_command, project / "dicom") == {"done": COUNT}
    ledger = b"".join(path.read_bytes() for path in (project / "dicom" / FOLDER).iterdir() if path.is_file())
    assert b"secret.txt" in ledger
    assert b"SECRET-OF-ALL-UIDS-HERE" not in ledger


def test_links_that_lead_outside_are_followed_by_verify_as_by_the_run_and_asked_for_again_by_convert(
    project, bulkdcm_command, tmp_path
):
    (project / NAME).unlink()
    (project / "png").rename(tmp_path / "elsewhere")
    (project / "png").mkdir()
    for path in (tmp_path / "elsewhere").iterdir():
        (project / "png" / path.name).symlink_to(path)
    options = ("--images", project / "png", "--set", "Modality=CR")
    done = bulkdcm_command("convert", project / "manifest.csv", "-o", project / "dicom", "--follow-links", *options)
    assert done.returncode == 0, done.stderr
    verified = bulkdcm_command("verify", project / "dicom")
    assert verified.returncode == 0, verified.stdout
    again = bulkdcm_command("convert", project / "dicom")
    assert (again.returncode, "Allow such links with --follow-links" in again.stderr) == (3, True), again.stderr
    again = bulkdcm_command("convert", project / "dicom", "--follow-links")
    assert (again.returncode, f"{COUNT} of them before" in again.stdout) == (0, True), again.stderr
