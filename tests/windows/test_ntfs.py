"""Windows' own file system, which sees no difference between capitals and small letters, in a folder of this machine."""

from __future__ import annotations

import shutil

import pytest

from tests.systems import any_name
from tests.windows.test_windows import MANIFEST, manifest_of, outputs


def names(folder):
    return {name.lower() for name in outputs(folder)}


@pytest.mark.parametrize("options", [(), ("--overwrite",)], ids=["", "overwrite"])
def test_an_output_whose_name_changes_its_capitals_stays(options, ntfs, tmp_path, bulkdcm_command):
    data, out = tmp_path / "data", ntfs / "out"
    cells = {"1.png": "Sub/A.dcm", "2.png": "Sub/B.dcm"}
    assert bulkdcm_command("convert", manifest_of(data, cells), "-o", out).returncode == 0
    before = set(outputs(out).values())
    done = bulkdcm_command(
        "convert", manifest_of(data, {"1.png": "sub/a.dcm", "2.png": "Sub/B.DCM"}), "-o", out, *options
    )
    assert done.returncode == 0, done.stderr
    assert (names(out), set(outputs(out).values())) == ({"sub/a.dcm", "sub/b.dcm"}, before)
    again = bulkdcm_command("convert", data / "m.csv", "-o", out)
    assert "2 of 2 rows converted (2 of them before)" in again.stdout
    assert bulkdcm_command("verify", out).returncode == 0


def test_swapped_names_in_other_capitals_are_swapped(ntfs, tmp_path, bulkdcm_command):
    data, out = tmp_path / "data", ntfs / "out"
    bulkdcm_command("convert", manifest_of(data, {"1.png": "A.dcm", "2.png": "B.dcm"}), "-o", out)
    before = {name.lower(): digest for name, digest in outputs(out).items()}
    done = bulkdcm_command("convert", manifest_of(data, {"1.png": "b.dcm", "2.png": "a.dcm"}), "-o", out)
    assert done.returncode == 0, done.stderr
    after = {name.lower(): digest for name, digest in outputs(out).items()}
    assert after == {"a.dcm": before["b.dcm"], "b.dcm": before["a.dcm"]}


def test_prune_spares_the_output_of_a_row_that_has_the_name_in_other_capitals(ntfs, tmp_path, bulkdcm_command):
    data, out = tmp_path / "data", ntfs / "out"
    bulkdcm_command("convert", manifest_of(data, {"1.png": "A.dcm", "2.png": "B.dcm"}), "-o", out)
    done = bulkdcm_command("convert", manifest_of(data, {"2.png": "a.dcm"}), "-o", out, "--prune")
    assert done.returncode == 0, done.stderr
    assert names(out) == {"a.dcm"}
    assert bulkdcm_command("verify", out).returncode == 0


def test_the_output_of_a_row_that_is_gone_is_not_replaced_in_other_capitals_without_prune(
    ntfs, tmp_path, bulkdcm_command
):
    data, out = tmp_path / "data", ntfs / "out"
    bulkdcm_command("convert", manifest_of(data, {"1.png": "A.dcm", "2.png": "B.dcm"}), "-o", out)
    before = outputs(out)
    done = bulkdcm_command("convert", manifest_of(data, {"2.png": "a.dcm"}), "-o", out)
    assert (done.returncode, "no longer in the manifest" in done.stderr) == (3, True), done.stderr
    assert outputs(out) == before


def test_a_source_in_other_capitals_is_never_replaced(ntfs, bulkdcm_command):
    manifest = manifest_of(ntfs, {"A.png": "", "b.png": "a.PNG"})
    before = (ntfs / "a.png").read_bytes()
    done = bulkdcm_command("convert", manifest, "-o", ntfs)
    assert (done.returncode, "the source on line 2" in done.stderr) == (3, True), done.stderr
    assert (ntfs / "a.png").read_bytes() == before


@any_name
def test_a_name_that_it_can_not_have_fails_its_row_alone(ntfs, tmp_path, bulkdcm_command):
    done = bulkdcm_command("convert", manifest_of(tmp_path, {"1.png": "aux.dcm", "2.png": "b.dcm"}), "-o", ntfs / "out")
    assert (done.returncode, "1 of 2 rows converted" in done.stdout) == (1, True), done.stdout
    assert names(ntfs / "out") == {"b.dcm"}


def test_the_demo_under_the_emulation_and_on_its_file_system(ntfs, tmp_path, on_windows, bulkdcm_command):
    bulkdcm_command("convert", MANIFEST, "-o", tmp_path / "linux")
    done = on_windows("convert", MANIFEST, "-o", ntfs / "out")
    assert done.returncode == 1, done.stderr
    assert outputs(ntfs / "out") == {name.lower(): digest for name, digest in outputs(tmp_path / "linux").items()}
    shutil.rmtree(ntfs / "out" / ".bulkdcm")
    assert "20 of 21 rows" in on_windows("rebuild", MANIFEST, "-o", ntfs / "out").stdout
