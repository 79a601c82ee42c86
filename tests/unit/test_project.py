"""What is written about the project is so."""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from dataclasses import asdict, fields
from pathlib import Path

import click
import pytest

import bulkdcm
from benchmarks import readme_table
from bulkdcm import errors
from bulkdcm import help as help_pages
from bulkdcm.cli import cli
from bulkdcm.cli.running import Told
from bulkdcm.settings import Settings
from tests.tables import make_conformance, make_help

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


NO_SETTINGS = {"manifest", "out", "help", "dry_run", "no_settings", *Told.__dataclass_fields__}
"""What is the command line's alone."""


def test_every_option_of_the_command_is_a_setting_and_back():
    convert = cli.commands["convert"]
    names = {parameter.name for parameter in convert.params} - NO_SETTINGS
    assert names == {field.name for field in fields(Settings)}


def test_defaults_of_command_and_settings_agree():
    given = cli.commands["convert"].make_context("convert", ["manifest.csv", "--out", "out"]).params
    assert {name: value for name, value in given.items() if name not in NO_SETTINGS} == asdict(Settings())


@pytest.mark.parametrize("command", sorted(cli.commands))
def test_every_option_is_in_the_help_pages(command):
    page = help_pages.page("options")
    for parameter in cli.commands[command].params:
        if isinstance(parameter, click.Option):
            assert f"`{parameter.opts[-1]}`" in page, parameter.opts[-1]


@pytest.mark.parametrize("topic", help_pages.TOPICS)
def test_the_tables_of_the_help_pages_are_as_the_code_has_them(topic):
    assert help_pages.path_of(topic).read_text(encoding="utf-8") == make_help.page(topic)


def test_every_page_is_a_topic():
    folder = help_pages.path_of("start").parent
    assert {path.stem for path in folder.glob("*.md")} == set(help_pages.TOPICS)
    assert all(help_pages.title(topic) for topic in help_pages.TOPICS)


def commands(text: str) -> set[str]:
    return set(re.findall(r"^\$ (.*)$|`(bulkdcm [^`]*)`", text, re.MULTILINE))


def test_the_pages_in_two_languages_have_the_same_commands():
    other = (ROOT / "README.zh-CN.md").read_text(encoding="utf-8")
    assert commands(other) == commands(README)
    start, start_zh = (help_pages.page(topic).partition("\n## Where to go on")[0] for topic in ("start", "start-zh"))
    assert commands(start_zh.partition("\n## 接下来")[0]) == commands(start)
    readme = {line for line in README.splitlines() if line.startswith(("░", "20 of 21"))}
    assert readme <= set(other.splitlines())


def test_the_readme_is_short_and_leads_to_every_page():
    assert len(README.split()) <= 500
    for topic in help_pages.TOPICS:
        assert f"(bulkdcm/help/{topic}.md)" in README


def test_the_figures_are_those_of_the_last_benchmark():
    page = readme_table.PAGE.read_text(encoding="utf-8")
    assert readme_table.page(page) == page
    assert "floor" in page
    disk = json.loads((ROOT / "benchmarks/results/throughput.json").read_text(encoding="utf-8"))["places"]["disk"]
    small, x_rays, jpeg = (disk[name] for name in ("PNG, 28 x 28", "X-ray PNG, 1 MP", "JPEG, passed through"))
    mine = "bulkdcm, 2 workers"
    assert f"{small['images_per_s'][mine]:,.0f} small images or {x_rays['images_per_s'][mine]:,.0f} X-rays" in README
    assert f"takes {jpeg['their_time_over_ours']['img2dcm']:.0f} times as long" in README


def test_the_conformance_statement_is_what_the_declarations_say():
    assert (ROOT / "CONFORMANCE.md").read_text(encoding="utf-8") == make_conformance.page()


@pytest.mark.parametrize("code", [0, 130, 143, *sorted({e.exit_code for e in errors.RunError.__subclasses__()})])
def test_every_exit_code_has_its_meaning(code):
    assert errors.EXIT_CODES[code]


def test_the_lowest_versions_tested_are_the_bounds():
    bounds = dict(re.match(r"([\w-]+)>=([\d.]+)", text).groups() for text in PYPROJECT["project"]["dependencies"])
    lines = [
        line for line in (ROOT / "tests/lowest.txt").read_text(encoding="utf-8").splitlines() if line and line[0] != "#"
    ]
    lowest = dict(line.split("==") for line in lines)
    assert {name: tuple(v.split(".")) for name, v in bounds.items()} == {
        name: tuple(version.split("."))[: len(bounds[name].split("."))] for name, version in lowest.items()
    }


def test_the_changelog_has_this_version():
    assert f"## {bulkdcm.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_tests_have_the_same_names_in_every_process():
    """Else the workers of pytest-xdist collect different tests, and none runs."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", "-m", "", "tests"]
    collecting = [
        subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env={**os.environ, **environment}, encoding="utf-8"
        )
        for environment in ({"PYTHONHASHSEED": "1", "TZ": "Asia/Tokyo"}, {"PYTHONHASHSEED": "2", "LC_ALL": "C"})
    ]
    first, second = (process.communicate(timeout=300)[0].splitlines() for process in collecting)
    names = [line for line in first if "::" in line]
    assert len(names) > 1000
    assert names == [line for line in second if "::" in line]
    assert all(name.isascii() and name.isprintable() for name in names)


@pytest.mark.parametrize("path", sorted((ROOT / "bulkdcm").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_and_functions_stay_small(path):
    text = path.read_text(encoding="utf-8")
    if not path.name.endswith("_tables.py"):  # data
        assert text.count("\n") <= 400, "the aim is 250 lines a module"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            docstring = ast.get_docstring(node, clean=False)
            lines = node.end_lineno - node.lineno + 1 - (docstring.count("\n") + 1 if docstring else 0)
            assert lines <= 50, f"{node.name}: the aim is 40 lines a function"
            assert node.name not in {"utils", "helper", "manager"}


@pytest.mark.parametrize("name", sorted(cli.commands))
def test_the_help_of_each_command_ends_with_examples_that_it_takes(name):
    command = cli.commands[name]
    shown = [line.strip() for line in (command.epilog or "").splitlines()[2:]]
    assert shown
    for line in shown:
        program, called, *arguments = shlex.split(re.split(" >+ ", line)[0])
        assert (program, called) == ("bulkdcm", name)
        files = [argument for argument in arguments if argument.endswith((".toml", ".csv"))]
        assert command.make_context(name, arguments).params or not files


@pytest.mark.parametrize("path", sorted((ROOT / "bulkdcm" / "mappings").glob("*.toml")), ids=lambda path: path.stem)
def test_a_mapping_can_be_redirected_into_a_file_by_any_console(path):
    assert path.read_text(encoding="utf-8").isascii()
