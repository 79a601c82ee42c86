"""Runs where kornia-rs can't be imported, as where it has no wheel: the same bytes, nothing done twice, proof that says by what."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from bulkdcm.images import decoders
from tests.streams_jpeg import BASELINE, JPEGS
from tests.streams_png import PNGS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.streams import Case

KORNIA = pytest.mark.skipif(not decoders.release(), reason="kornia-rs isn't here, with which Pillow is compared")
CASES = [
    case
    for case in [*PNGS, *JPEGS]
    if not case.refused and case.iod == "SC" and not case.options and "arithmetic" not in case.name
]


@pytest.fixture
def blocked(tmp_path_factory) -> dict[str, str]:
    """Return an environment whose Pythons, workers included, can't import kornia-rs."""
    folder = tmp_path_factory.mktemp("blocking")
    (folder / "sitecustomize.py").write_text("import sys\nsys.modules['kornia_rs'] = None\n", encoding="utf-8")
    return {"PYTHONPATH": str(folder)}


def write_manifest(folder: Path, cases: list[Case]) -> Path:
    lines = ["source,PatientID,PatientName"]
    for number, case in enumerate(cases):
        name = f"{number:03d}.{case.name[:3].lower()}"
        (folder / name).write_bytes(case.data)
        lines.append(f"{name},1,A^B")
    path = folder / "manifest.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@KORNIA
@pytest.mark.parametrize("options", [(), ("--transfer-syntax", "explicit")], ids=["passed through", "decoded"])
def test_the_files_are_the_same_and_neither_run_does_the_others_work_again(
    options, bulkdcm_command, tmp_path, blocked, digests
):
    cases = [case for case in CASES if not options or case.uid in {"", BASELINE}]  # others can only be passed through
    manifest, environments = write_manifest(tmp_path, cases), {"with": None, "without": blocked}
    for out, environment in environments.items():
        done = bulkdcm_command("convert", manifest, *options, "--out", tmp_path / out, env_add=environment)
        assert done.returncode == 0, done.stdout + done.stderr
    found = digests(tmp_path / "with")
    assert len(found) == len(cases) > 300
    assert digests(tmp_path / "without") == found
    for out, environment in zip(environments, reversed(environments.values()), strict=True):
        again = bulkdcm_command(
            "convert", manifest, *options, "--out", tmp_path / out, "--dry-run", env_add=environment
        )
        assert again.returncode == 0, again.stdout + again.stderr
        assert again.stdout.split() == [str(len(cases)), "done"]


@pytest.mark.parametrize("options", [(), ("--transfer-syntax", "explicit")], ids=["passed through", "decoded"])
def test_what_such_a_run_makes_is_proven_by_another_decoder_or_it_is_said(options, bulkdcm_command, dataset, blocked):
    out = dataset / "out"
    done = bulkdcm_command("convert", dataset / "manifest.csv", "--out", out, *options, env_add=blocked)
    assert done.returncode == 0, done.stdout + done.stderr
    proven = bulkdcm_command("verify", out, "--json", env_add=blocked)
    assert proven.returncode == 0, proven.stdout + proven.stderr
    by = json.loads(proven.stdout.splitlines()[-1])["by"]
    assert by["fresh decoding by imagecodecs"] == 12
    if options:
        assert by["fresh decoding by Pillow, which converted them too"] == 12


def test_the_doctor_says_what_decodes_in_its_place(bulkdcm_command, blocked):
    done = bulkdcm_command("doctor", env_add=blocked)
    assert done.returncode == 0
    assert "not installed; Pillow does the same, slower. pip install kornia-rs" in done.stdout
