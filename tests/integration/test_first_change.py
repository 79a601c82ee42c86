"""CONTRIBUTING's walk through a first change, done to the letter on a copy; and the files that its table names exist."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bulkdcm.manifest.sexes import WORDS

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
WALK = TEXT.partition("## A first change\n")[2].partition("\n## ")[0]
RECIPES = TEXT.partition("## To add …\n")[2].partition("\n## ")[0]
PLACES = ("", "bulkdcm", "bulkdcm/ledger", "bulkdcm/engines", "bulkdcm/objects")


def fenced(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", WALK, re.DOTALL)


@pytest.fixture
def clone(tmp_path) -> Path:
    for name in ("bulkdcm", "manifests", "tests/unit/manifest"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for command, shown in re.findall(r"^\$ cat (\S+)\n((?:(?!\$ ).*\n)*)", fenced("console")[0], re.MULTILINE):
        (tmp_path / command).write_text(shown, encoding="utf-8")
    return tmp_path


def run(clone: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=clone, env={**os.environ, "PYTHONPATH": str(clone)},
        capture_output=True, text=True, check=False, encoding="utf-8", timeout=300,
    )  # fmt: skip
    return done.stdout + done.stderr


def apply(clone: Path, diff: str) -> None:
    for file, change in re.findall(r"^--- (\S+)\n((?:[ +-](?!-- ).*\n)+)", diff, re.MULTILINE):
        lines = change.splitlines(keepends=True)
        before = "".join(line[1:] for line in lines if line[0] != "+")
        after = "".join(line[1:] for line in lines if line[0] != "-")
        text = (clone / file).read_text(encoding="utf-8")
        assert text.count(before) == 1, f"{file} has changed: {before}"
        (clone / file).write_text(text.replace(before, after), encoding="utf-8")


def said(clone: Path, block: str) -> None:
    """Run the `bulkdcm` of a block, and find in what it says all that the block shows of it."""
    command, _, shown = block[block.index("$ bulkdcm") + 2 :].partition("\n")
    found = run(clone, *command.split())
    for line in shown.splitlines():
        assert line.strip(" …") in found, found


def test_the_walk_through_a_first_change(clone):
    before, after = fenced("console")
    test, change = fenced("diff")
    tests = ("pytest", "-q", "-p", "no:cacheprovider", "tests/unit/manifest/test_conversions.py", "-k", "sexes")
    assert ".venv/bin/python -m pytest tests/unit/manifest/test_conversions.py -k sexes" in WALK
    said(clone, before)
    apply(clone, test)
    assert re.search(r"^1 failed, \d+ passed", run(clone, *tests), re.MULTILINE)
    apply(clone, change)
    assert change.count("\n+") == 2
    assert "failed" not in run(clone, *tests)
    said(clone, after)


def test_the_words_of_the_walk_are_not_known_yet():
    assert not WORDS.keys() & {"mies", "nainen"}


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`([\w./]+/[\w./]*|[\w]+\.(?:py|md|toml))`", RECIPES))))
def test_the_files_that_are_named_exist(path):
    assert [place for place in PLACES if (ROOT / place / path).exists()]


@pytest.mark.parametrize("module", sorted(set(re.findall(r"`python -m ([\w.]+)`", TEXT))))
def test_the_commands_that_are_named_exist(module):
    assert (ROOT / (module.replace(".", "/") + ".py")).is_file()


@pytest.mark.parametrize("target", sorted(set(re.findall(r"`make (\w+)", TEXT))))
def test_the_targets_that_are_named_exist(target):
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


def test_the_page_is_short_and_leads_to_the_picture_and_the_decisions():
    assert TEXT.count("\n") <= 140
    for path in ("tests/tables/architecture.svg", "DECISIONS.md"):
        assert f"({path})" in TEXT
        assert (ROOT / path).is_file()
