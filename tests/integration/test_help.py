"""Every command that the README and the help pages show is run as it stands."""

from __future__ import annotations

import re
import shlex
import shutil
import zipfile
from pathlib import Path

import click
import numpy as np
import pytest
from PIL import Image

from bulkdcm import help as pages
from bulkdcm.cli import cli

ROOT = Path(__file__).parents[2]
PAGES = {
    "README": (ROOT / "README.md").read_text(encoding="utf-8"),
    **{topic: pages.page(topic) for topic in pages.TOPICS},
}
BLOCKS = [
    pytest.param(block, id=f"{name} {number}")
    for name, text in PAGES.items()
    for number, block in enumerate(re.findall(r"```console\n(.*?)```", text, re.DOTALL))
]
HEADER = "source,PatientID,PatientName,StudyDate,StudyTime,StudyID,SeriesNumber,InstanceNumber\n"
NIH = "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position\n"


def takes_none(words: list[str]) -> bool:
    """Return whether a command is only named, without what it needs."""
    command = cli.commands[words[0]]
    return len(words) == 1 and any(isinstance(one, click.Argument) and one.required for one in command.params)


INLINE = sorted(
    {
        re.split(" >+ ", command)[0]
        for text in PAGES.values()
        for command in re.findall(r"`bulkdcm ([^`]*)`", text)
        if "…" not in command and not re.search(r"\b[A-Z]{4,}\b", command) and "dask" not in command
        if not takes_none(shlex.split(re.split(" >+ ", command)[0]))
    }
)


@pytest.fixture
def folder(tmp_path):
    """Return a folder that has what the pages speak of."""
    for number, name in enumerate(("a.png", "b.png", "images/a.png", "images/b.png", "00000001_000.png")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.fromarray(np.full((9, 9), number, np.uint8)).save(tmp_path / name)
    with zipfile.ZipFile(tmp_path / "images.zip", "w") as archive:
        archive.write(tmp_path / "a.png", "x/a.png")
    rows = "".join(f"{name}.png,1,A^B,20230101,101010,1,1,{n}\n" for n, name in enumerate("ab", start=1))
    (tmp_path / "manifest.csv").write_text(HEADER + rows, encoding="utf-8")
    (tmp_path / "labels.csv").write_text("name,age,sex\na,33,M\nb,44,F\n", encoding="utf-8")
    (tmp_path / "metadata.csv").write_text("file,patient,sex\na.png,1,M\nb.png,2,F\n", encoding="utf-8")
    (tmp_path / "mapping.toml").write_text("[columns]\nsource = { column = 'file' }\n", encoding="utf-8")
    (tmp_path / "Data_Entry_2017.csv").write_text(f"{NIH}00000001_000.png,x,0,1,58,M,PA\n", encoding="utf-8")
    return tmp_path


def run(command: str, folder: Path, bulkdcm_command):
    words = shlex.split(command)
    if words[0] == "init" and "--out" in words:
        (folder / words[words.index("--out") + 1]).unlink(missing_ok=True)
    return bulkdcm_command(*words, cwd=folder)


@pytest.mark.parametrize("block", BLOCKS)
def test_the_commands_of_a_block_run_one_after_the_other(block, folder, bulkdcm_command):
    for command in re.findall(r"^\$ bulkdcm (.*)$", block, re.MULTILINE):
        if "manifests/demo" in command:
            shutil.copytree(ROOT / "manifests/demo", folder / "manifests/demo")
        finished = run(command, folder, bulkdcm_command)
        expected = 1 if "manifests/demo" in command and command.startswith("convert") else 0
        assert finished.returncode == expected, finished.stderr


@pytest.mark.parametrize("command", INLINE)
def test_a_command_in_a_sentence_runs(command, folder, bulkdcm_command):
    if command.startswith(("convert dicom", "check dicom", "rebuild", "verify", "show", "report")):
        assert run("convert manifest.csv --out dicom", folder, bulkdcm_command).returncode == 0
        shutil.copy(folder / "dicom/a.dcm", folder / "file.dcm")
    finished = run(command, folder, bulkdcm_command)
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout


def test_a_page_is_shown_and_another_asked_for(bulkdcm_command, tmp_path):
    shown = bulkdcm_command("help", "uids", cwd=tmp_path).stdout
    assert shown == pages.page("uids")
    assert "<!--" not in bulkdcm_command("help", "report", cwd=tmp_path).stdout
    refused = bulkdcm_command("help", "mapings", cwd=tmp_path)
    assert (refused.returncode, "Did you mean mappings?" in refused.stderr) == (2, True)


def test_the_python_of_a_page_runs(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    (code,) = re.findall(r"```python\n(.*?)```", PAGES["python"], re.DOTALL)
    exec(code, {})  # the page's own lines
    assert capsys.readouterr().out.startswith("2 0\n")
