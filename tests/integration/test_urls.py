"""A URL where a path belongs is refused with a remedy: in settings, in Python, in a mapping and in cells."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

import bulkdcm
from bulkdcm import template
from bulkdcm.conversion import api
from bulkdcm.draft import FolderOptions, draft_manifest, propose_mapping
from bulkdcm.settings import Settings

URL = "s3://bucket/x"
SETTINGS = ("images", "uid_key_file", "ledger", "template", "mapping")


@pytest.fixture
def folder(tmp_path):
    Image.new("L", (4, 4)).save(tmp_path / "a.png")
    (tmp_path / "m.csv").write_text("source\na.png\n", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("kind", [str, Path])
@pytest.mark.parametrize("name", SETTINGS)
def test_no_setting_takes_a_url_however_it_is_given(name, kind):
    for make in (Settings, Settings.of):
        with pytest.raises(bulkdcm.SettingsError, match=f"{name}='s3:.*this is a URL.*To go on") as error:
            make(**{name: kind(URL)})
        assert "copy the files to this machine, or mount the place" in str(error.value)
    with pytest.raises(bulkdcm.SettingsError, match="write it without file://"):
        Settings(**{name: "file:///data"})


@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_given_as_text_is_a_path(name):
    assert getattr(Settings(**{name: "a/b"}), name) == Path("a/b")


@pytest.mark.parametrize("kind", [str, Path])
@pytest.mark.parametrize(
    "ask",
    [
        lambda folder, url: bulkdcm.convert(url, folder / "out"),
        lambda folder, url: bulkdcm.convert(folder / "m.csv", url),
        lambda folder, url: bulkdcm.rebuild(url, folder / "out"),
        lambda folder, url: bulkdcm.rebuild(folder / "m.csv", url),
        lambda folder, url: bulkdcm.plan(url, folder / "out"),
        lambda folder, url: bulkdcm.plan(folder / "m.csv", url),
        lambda _, url: bulkdcm.check(url),
        lambda _, url: api.checked(url, 1),
        lambda folder, url: draft_manifest(url, folder / "new.csv", FolderOptions()),
        lambda folder, url: draft_manifest(folder, url, FolderOptions()),
        lambda _, url: propose_mapping(url, "utf-8"),
        lambda _, url: template.read(url),
    ],
    ids=range(12),
)
def test_no_function_takes_a_url(ask, kind, folder):
    before = sorted(folder.rglob("*"))
    with pytest.raises(bulkdcm.SettingsError, match=r"this is a URL.*copy the files to this machine"):
        ask(folder, kind(URL))
    assert sorted(folder.rglob("*")) == before


def mapped(folder, rule):
    (folder / "d.csv").write_text("id\n" + "".join(f"{number}\n" for number in range(50)), encoding="utf-8")
    (folder / "map.toml").write_text(f"[columns]\nsource = {rule}\n", encoding="utf-8")
    found = bulkdcm.check(folder / "d.csv", mapping=folder / "map.toml")
    return [problem for problem in found if problem.severity == "error"]


@pytest.mark.parametrize("template", ["https://host/{id}.*", "s3://bucket/{id}.png", "file:///data/{id}.*"])
def test_a_mapping_that_makes_urls_is_told_so_once(template, folder):
    (problem,) = mapped(folder, f'{{ template = "{template}" }}')
    assert (problem.column, problem.rule, len(problem.lines)) == ("source", "a URL", 50)
    assert "Fetch the files first" in problem.remedy


def test_outputs_that_are_urls_are_told_once(folder):
    rows = [f"a.png,s3://bucket/{number}.dcm,{number}" for number in range(50)]
    rows += [f"a.png,/abs/{number}.dcm,a{number}" for number in range(3)] + ["a.png,report.csv,b", "a.png,fine.dcm,c"]
    (folder / "m.csv").write_text("\n".join(["source,output,instance", *rows]) + "\n", encoding="utf-8")
    found = [problem for problem in bulkdcm.check(folder / "m.csv") if problem.column == "output"]
    assert [(problem.rule, len(problem.lines)) for problem in found] == [
        ("a URL", 50),
        ("an absolute path", 3),
        ("the name is bulkdcm's own", 1),
    ]
    assert found[0].value == "s3://bucket/0.dcm"
    assert "copy them to where they belong after the run" in found[0].remedy
    assert "relative to --out" in found[1].remedy
