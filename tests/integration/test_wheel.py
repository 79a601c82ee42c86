"""The wheel and the sdist hold what the program needs: unpacked elsewhere, the wheel runs without the clone."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BUILD = "import sys; from hatchling import build; print(build.{}(sys.argv[1]))"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Return a function that gives the wheel or the sdist, built from the clone."""
    folder = tmp_path_factory.mktemp("built")

    def build(kind: str) -> Path:
        pytest.importorskip("hatchling", reason="hatchling builds the wheel")
        found = subprocess.run(
            [sys.executable, "-c", BUILD.format(f"build_{kind}"), str(folder)],
            cwd=ROOT, capture_output=True, text=True, check=True,
        )  # fmt: skip
        return folder / found.stdout.split()[-1]

    return build


@pytest.fixture(scope="module")
def unpacked(built, tmp_path_factory):
    folder = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(built("wheel")) as archive:
        archive.extractall(folder)
    return folder


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["demo", "--out", "dicom"], "20 of 21 rows converted"),
        (["help", "mappings"], "rows_per_image"),
        (["mappings"], "nih-chestxray14"),
        (["mappings", "nih-chestxray14"], "[columns]"),
        (["mappings", "--schema"], "bulkdcm mapping"),
        (["classes", "--markdown"], "OphthalmicPhotography8BitImageStorage"),
    ],
)
def test_the_wheel_runs_without_the_clone(arguments, words, unpacked, tmp_path):
    code = f"import sys; sys.path[:0] = [{str(unpacked)!r}]; import bulkdcm; assert bulkdcm.__file__.startswith({str(unpacked)!r}); from bulkdcm.__main__ import main; main()"
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    run = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=tmp_path, capture_output=True, text=True, check=False, env=environment | {"PYTHONPATH": str(unpacked)},
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert words in run.stdout


def test_the_wheel_has_types_and_no_tests(unpacked):
    assert (unpacked / "bulkdcm/py.typed").exists()
    assert not (unpacked / "tests").exists()


def test_the_sdist_has_what_a_packager_needs(built):
    with tarfile.open(built("sdist")) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "LICENSE", "README.md", "CHANGELOG.md", "CONFORMANCE.md", "CONTRIBUTING.md"} <= names
    assert {
        "bulkdcm/help/start.md",
        "bulkdcm/mappings/mura.toml",
        "tests/lowest.txt",
        "manifests/demo/manifest.csv",
    } <= names
