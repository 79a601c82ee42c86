"""`bulkdcm doctor`: what is here, and what brings what is missing."""

from __future__ import annotations

import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from click.testing import CliRunner

from bulkdcm import surroundings
from bulkdcm.cli import cli
from bulkdcm.images import decoders

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def found(folder) -> dict[str, surroundings.Fact]:
    return {fact.what.partition(" ")[0]: fact for fact in surroundings.facts(folder)}


def test_all_that_is_needed_is_here(tmp_path):
    facts = found(tmp_path)
    assert not [fact for fact in facts.values() if fact.state == "wrong"]
    assert facts["pydicom"].found == metadata.version("pydicom")
    assert facts["locks"].state == "ok"
    assert list(tmp_path.iterdir()) == []


def test_every_package_of_the_project_is_looked_for():
    names = [
        *PROJECT["dependencies"],
        *(name for extra, names in PROJECT["optional-dependencies"].items() if extra != "dev" for name in names),
    ]
    assert {name.partition(">")[0].lower() for name in names} <= {
        name.lower() for name, _ in surroundings._requirements()
    }


def test_what_is_missing_has_a_command(tmp_path, monkeypatch):
    def version(name: str) -> str:
        if name in {"openpyxl", "pydicom"}:
            raise metadata.PackageNotFoundError
        return "1"

    monkeypatch.setattr(metadata, "version", version)
    monkeypatch.setattr(surroundings.shutil, "which", lambda _: None)
    facts = found(tmp_path)
    assert facts["openpyxl"].state == "missing"
    assert facts["openpyxl"].remedy == "pip install 'bulkdcm[excel]'"
    assert facts["pydicom"].state == "wrong"
    assert "apt install dcmtk" in facts["dcmdump"].remedy


def test_a_package_is_asked_for_only_by_the_pythons_that_need_it(tmp_path, monkeypatch):
    lines = ["kornia-rs>=0.2.0; python_version < '3.4'", "old>=1; (python_version < '3.4') and extra == 'some'", "new>=1; python_version < '3.99' and extra == 'some'"]  # fmt: skip
    monkeypatch.setattr(metadata, "requires", lambda _: lines)
    monkeypatch.setattr(decoders, "_kornia", None)
    facts = found(tmp_path)
    assert facts["new"].remedy == "pip install 'bulkdcm[some]'"
    assert "old" not in facts
    assert (facts["kornia-rs"].state, facts["kornia-rs"].remedy) == (
        "missing",
        "pip install kornia-rs, if it has a wheel here",
    )


def test_a_folder_that_cannot_be_written_is_said(tmp_path, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(surroundings.tempfile, "TemporaryDirectory", refuse)
    monkeypatch.setattr(surroundings.tempfile, "NamedTemporaryFile", refuse)
    facts = found(tmp_path)
    assert {facts[what].state for what in ("locks", "temporary")} == {"wrong"}
    monkeypatch.setattr(sys, "version_info", (3, 10, 0))
    assert found(tmp_path)["Python"].state == "wrong"


@pytest.mark.parametrize("out", [".", "not/yet/there"])
def test_the_command_says_all_of_it(out, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(cli, ["doctor", "--out", out], standalone_mode=False)
    assert result.return_value == 0
    assert result.output.count("\n") > 15
    assert "ok      Python: " in result.output
