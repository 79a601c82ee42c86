"""The wheel and the sdist hold what the program needs: installed elsewhere, it runs without the clone, and has its types."""

from __future__ import annotations

import os
import re
import shutil
import site
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
BUILD = "import sys; from hatchling import build; print(build.{}(sys.argv[1]))"
ELSEWHERE = {name: text for name, text in os.environ.items() if name not in {"PYTHONPATH", "MYPYPATH"}}


def run(*words: object, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in words],
        cwd=folder, env=ELSEWHERE, capture_output=True, text=True, check=False, encoding="utf-8", timeout=600,
    )  # fmt: skip


def build(kind: str, source: Path, folder: Path) -> Path:
    pytest.importorskip("hatchling", reason="hatchling builds the wheel")
    found = run(sys.executable, "-c", BUILD.format(f"build_{kind}"), folder, folder=source)
    assert found.returncode == 0, found.stderr
    return folder / found.stdout.split()[-1]


@pytest.fixture(scope="module")
def sdist(tmp_path_factory) -> Path:
    return build("sdist", ROOT, tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="module")
def unpacked(sdist, tmp_path_factory) -> Path:
    """Return the folder that the sdist makes."""
    folder = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    return next(folder.iterdir())


@pytest.fixture(scope="module")
def wheel(unpacked, tmp_path_factory) -> Path:
    """Return the wheel that is made of the sdist, as packagers make it."""
    return build("wheel", unpacked, tmp_path_factory.mktemp("wheel"))


class Installed(NamedTuple):
    """An environment with the wheel, and with the packages of the one that runs the tests, but not their clone."""

    python: Path
    command: Path


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Installed:
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=False)
    programs = folder / ("Scripts" if sys.platform == "win32" else "bin")
    python = programs / "python"
    done = run(
        sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python,
        "install", "--quiet", "--no-index", "--no-deps", wheel, folder=folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    packages = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", folder=folder).stdout.strip()
    Path(packages, "others.pth").write_text("\n".join(site.getsitepackages()), encoding="utf-8")
    where = run(python, "-c", "import bulkdcm; print(bulkdcm.__file__)", folder=folder).stdout
    assert Path(where).is_relative_to(folder)
    return Installed(python, programs / "bulkdcm")


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
def test_the_wheel_runs_without_the_clone(arguments, words, installed, tmp_path):
    done = run(installed.command, *arguments, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert words in done.stdout


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_wheel_of_the_sdist_is_that_of_the_clone(wheel, tmp_path):
    assert members(wheel) == members(build("wheel", ROOT, tmp_path))


def test_the_wheel_has_each_file_of_the_package_and_no_tests(wheel):
    names = set(members(wheel))
    package = {
        str(path.relative_to(ROOT).as_posix())
        for path in (ROOT / "bulkdcm").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {"bulkdcm/py.typed", "bulkdcm/help/scale.md", "bulkdcm/mappings/mura.toml"} <= package
    assert package <= names
    demo = {path.relative_to(ROOT / "manifests/demo").as_posix() for path in (ROOT / "manifests/demo").rglob("*.*")}
    assert {f"bulkdcm/demo_data/{name}" for name in demo} <= names
    assert {name.split("/")[0].partition("-")[0] for name in names} == {"bulkdcm"}


def test_the_sdist_has_what_a_packager_needs(unpacked):
    for name in (
        "pyproject.toml", "LICENSE", "README.md", "README.zh-CN.md", "CHANGELOG.md", "CONFORMANCE.md", "CONTRIBUTING.md",
        "DECISIONS.md", "Containerfile", "Makefile", ".ci/run", "bulkdcm/help/start.md", "bulkdcm/mappings/mura.toml",
        "tests/lowest.txt", "tests/tables/architecture.svg", "manifests/demo/manifest.csv",
    ):  # fmt: skip
        assert (unpacked / name).is_file(), name


def test_the_tests_of_the_sdist_pass_in_it(unpacked):
    tests = ("tests/unit/test_uids.py", "tests/unit/test_architecture.py", "tests/unit/test_project.py")
    chosen = "uids or architecture or readme or conformance or languages or figures or changelog"
    done = run(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests, "-k", chosen, folder=unpacked)
    assert done.returncode == 0, done.stdout
    assert "skipped" not in done.stdout


def test_the_containerfile_copies_all_that_its_wheel_needs(wheel, tmp_path):
    text = (ROOT / "Containerfile").read_text(encoding="utf-8")
    for sources, target in re.findall(r"^COPY (?!--from)(.+) (\S+)$", text, re.MULTILINE):
        for source in sources.split():
            place = tmp_path / "source" / (Path(target, Path(source).name) if target == "./" else Path(target))
            place.parent.mkdir(parents=True, exist_ok=True)
            copy = shutil.copytree if (ROOT / source).is_dir() else shutil.copy
            copy(ROOT / source, place)
    (tmp_path / "made").mkdir()
    assert members(build("wheel", tmp_path / "source", tmp_path / "made")) == members(wheel)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (extras,) = re.findall(r"\.whl\)\[(.+)\]", text)
    assert set(project["optional-dependencies"]) - set(extras.split(",")) == {"dask", "dev", "plot"}


CLIENT = """
from __future__ import annotations

import bulkdcm


def convert(manifest: str) -> dict[str, int]:
    settings = bulkdcm.Settings(n_jobs=2)
    problems = [problem.text for problem in bulkdcm.check(manifest, settings, read=True)]
    if problems:
        raise bulkdcm.ManifestError("\\n".join(problems))
    report: bulkdcm.Report = bulkdcm.convert(manifest, "dicom", settings, progress=True)
    found: bulkdcm.Verification = bulkdcm.verify("dicom")
    kinds: list[str] = [finding.kind for finding in found.findings]
    try:
        planned: dict[str, int] = bulkdcm.plan(manifest, "dicom", n_jobs=1)
    except bulkdcm.RunError as error:
        code: int = error.exit_code
        return {"exit code": code}
    return {**planned, "converted": report.count("converted"), "lines": len(report.table), "findings": len(kinds)}


def watch(progress: bulkdcm.Progress) -> None:
    print(progress)


bulkdcm.convert("m.csv", "dicom", progress=watch)
print(bulkdcm.__version__.upper(), bulkdcm.read_report("dicom"))
"""
WRONG = {
    "a manifest that is a number": ("bulkdcm.check(5)", "arg-type"),
    "an output folder that is missing": ('bulkdcm.convert("m.csv")', "call-arg"),
    "a name that is not there": ("bulkdcm.convrt", "attr-defined"),
    "an attribute that is not there": ('bulkdcm.verify("dicom").wrong', "attr-defined"),
    "a setting of another type": ('bulkdcm.Settings(n_jobs="two")', "arg-type"),
    "a result of another type": ('text: str = bulkdcm.convert("m.csv", "dicom")', "assignment"),
}


def checked(code: str, installed: Installed, folder: Path) -> str:
    pytest.importorskip("mypy", reason="mypy checks the client")
    (folder / "client.py").write_text(code, encoding="utf-8")
    return run(
        sys.executable, "-m", "mypy", "--strict", "--config-file=", "--python-executable", installed.python,
        "client.py", folder=folder,
    ).stdout  # fmt: skip


def test_a_client_finds_the_types_of_the_wheel(installed, tmp_path):
    assert checked(CLIENT, installed, tmp_path) == "Success: no issues found in 1 source file\n"


def test_what_a_client_does_wrong_is_an_error(installed, tmp_path):
    lines = [code for code, _ in WRONG.values()]
    said = checked("\n".join(["import bulkdcm", *lines]), installed, tmp_path).splitlines()
    for number, (_, kind) in enumerate(WRONG.values(), start=2):
        assert [line for line in said if line.startswith(f"client.py:{number}: error:") and line.endswith(f"[{kind}]")]
    assert said[-1].startswith(f"Found {len(WRONG)} errors")
