"""Each mapping of the package, from the dataset as it lies on a disk to files that validators accept."""

from __future__ import annotations

import re
import shlex
import subprocess
import tomllib

import numpy as np
import pydicom
import pytest

import bulkdcm
from bulkdcm import cli, mappings
from bulkdcm.validation import verify
from tests.conformance import readers
from tests.datasets import older, others, radiographs

LAYOUTS = {
    "aptos2019": [older.aptos2019],
    "busi": [others.busi],
    "cbis-ddsm-jpeg": [others.cbis_ddsm_jpeg],
    "chexpert": [radiographs.chexpert, radiographs.chexpert_above, radiographs.chexpert_batches],
    "covid-chestxray": [older.covid_chestxray],
    "deeplesion": [others.deeplesion],
    "eyepacs": [others.eyepacs],
    "figure1": [older.figure1],
    "ham10000": [others.ham10000, others.ham10000_tab],
    "huggingface-imagefolder": [others.huggingface_imagefolder, others.huggingface_imagefolder_json],
    "isic2020": [older.isic2020],
    "kermany-oct2017": [others.kermany_oct2017],
    "mimic-cxr-jpg": [radiographs.mimic_cxr_jpg],
    "mura": [radiographs.mura],
    "nih-chestxray14": [radiographs.nih_chestxray14, radiographs.nih_chestxray14_2020],
    "padchest": [radiographs.padchest],
    "rsna-bone-age": [older.rsna_bone_age],
    "vindr-cxr": [radiographs.vindr_cxr],
}
CASES = [pytest.param((name, make), id=make.__name__) for name, makes in LAYOUTS.items() for make in makes]
# The same dataset with a table of another name, of which the comments give no command.
ALIKE = {
    radiographs.chexpert_above,
    radiographs.nih_chestxray14_2020,
    others.ham10000_tab,
    others.huggingface_imagefolder_json,
}
TEXTS = {name: mappings.find(name).read_text(encoding="utf-8") for name in mappings.names()}
# Keys of a mapping that name columns of the table.
_FIELD = re.compile(r"\{(.*?)(?:\[-?\d*:-?\d*\]|:\w+)?\}")


def test_every_mapping_has_its_layout():
    assert mappings.names() == list(LAYOUTS)


def laid_out(name, make, root):
    """Return a dataset with its table; where it has none, the command that the mapping's comments give makes one."""
    layout = make(root)
    if not layout.table.exists():
        (command,) = re.findall(r"^# (find .*)$", TEXTS[name], re.MULTILINE)
        subprocess.run(command, shell=True, cwd=root, check=True)
        lines = layout.table.read_text(encoding="utf-8").splitlines()
        layout.table.write_text("\n".join(sorted(lines)) + "\n", encoding="utf-8")  # find gives no order
    return layout


# What is said of good files. Few datasets have dates; dciodvfy is older than some terms of PS3.16 annex L.
DICOMDIR = "Warning - Missing attribute or value that would be needed to build DICOMDIR - "
KNOWN = {f"{DICOMDIR}{name}" for name in ("Study Date", "Study Time", "Study ID", "Patient ID")}
KNOWN |= {"Warning - Unrecognized defined term <LOWERLIMB> for value 1 of attribute <Body Part Examined>"}


@pytest.fixture(scope="module", params=CASES)
def dataset(request, tmp_path_factory):
    """Return a dataset's layout, and the file that each of its sources has become."""
    name, make = request.param
    root = tmp_path_factory.mktemp(make.__name__)
    layout = laid_out(name, make, root / "raw")
    report = bulkdcm.convert(
        layout.table, root / "out", images=layout.images, mapping=name, backend="sequential", fsync=False
    )
    assert set(report.table["status"]) == {"converted"}, report.table["message"].tolist()
    warnings = [str(warning) for warning in report.warnings if warning.severity == "warning"]
    assert all("no DICOMDIR can be built without it" in warning for warning in warnings), warnings
    files = [root / "out" / output for output in report.table["output"]]
    return layout, dict(zip(report.table["source"], files, strict=True))


def test_a_dataset_as_it_is_unpacked_becomes_what_it_says(dataset):
    layout, files = dataset
    assert list(files) == list(layout.rows)
    for source, expected in layout.rows.items():
        found = pydicom.dcmread(files[source])
        assert {keyword: str(found.get(keyword) or "") for keyword in expected} == expected
    for source, pixels in layout.pixels.items():
        assert np.array_equal(pydicom.dcmread(files[source]).pixel_array, pixels)
    assert not [f"{source}: {finding}" for source, path in files.items() for finding in verify(path)]


def test_validators_find_nothing_in_a_dataset(dataset):
    readers.need("dciodvfy", "dcentvfy")
    _, files = dataset
    found = {text for path in files.values() for text in readers.dciodvfy(path)}
    assert not found - KNOWN
    assert not readers.dcentvfy(list(files.values()))


@pytest.mark.parametrize("case", [case for case in CASES if case.values[0][1] not in ALIKE])
def test_the_commands_in_a_mapping_s_comments_are_enough(case, tmp_path, monkeypatch, capsys):
    name, make = case
    layout = laid_out(name, make, tmp_path)
    monkeypatch.chdir(tmp_path)
    commands = [shlex.split(line) for line in re.findall(r"^# bulkdcm (convert .*)$", TEXTS[name], re.MULTILINE)]
    fitting = [command for command in commands if (tmp_path / command[1]).exists()]
    for command in fitting:
        assert cli.run([*command, "--backend", "sequential", "--no-fsync"]) == 0, capsys.readouterr().err
        assert f"{len(layout.rows)} of {len(layout.rows)} rows converted" in capsys.readouterr().out
    assert len(fitting) == 1


def test_an_inverted_radiograph_of_padchest_is_left_to_the_user(tmp_path):
    table = radiographs.padchest(tmp_path).table
    text = table.read_text(encoding="utf-8")
    table.write_text(text.replace("MONOCHROME2", "MONOCHROME1", 1), encoding="utf-8")
    with pytest.raises(bulkdcm.ManifestError, match=r"'MONOCHROME1': mapping key columns\.PhotometricInterpretation"):
        bulkdcm.convert(table, tmp_path / "out", mapping="padchest", backend="sequential")


def test_every_slice_of_deeplesion_comes_without_its_table(tmp_path, monkeypatch, capsys):
    layout = others.deeplesion(tmp_path)
    monkeypatch.chdir(tmp_path)
    (lines,) = re.findall(r"^# bulkdcm (init .*\n#.*)$", TEXTS["deeplesion"], re.MULTILINE)
    assert cli.run(shlex.split(lines.replace("\\\n#", ""))) == 0, capsys.readouterr().err
    slices = bulkdcm.convert("all.csv", "all", images="Images_png", backend="sequential", fsync=False).table
    keys = bulkdcm.convert(layout.table, "keys", mapping="deeplesion", backend="sequential", fsync=False).table
    assert set(slices["status"]) == {"converted"}
    assert len(slices) == len(keys) + 1
    # A key slice lies in the series of all slices.
    assert set(keys["series_instance_uid"]) == set(slices["series_instance_uid"])
    for output in slices["output"]:
        assert not list(map(str, verify(tmp_path / "all" / output)))
        assert pydicom.dcmread(tmp_path / "all" / output).RescaleIntercept == -32768


# Of an imagefolder the columns are its own.
@pytest.mark.parametrize("name", [name for name in LAYOUTS if name != "huggingface-imagefolder"])
def test_every_column_of_a_dataset_is_used_or_said_not_to_be(name, tmp_path):
    data = tomllib.loads(TEXTS[name])
    rules = [rule for rule in data["columns"].values() if isinstance(rule, dict)]
    templates = [text for rule in rules for text in np.atleast_1d(rule.get("template", [])).tolist()]
    used = {rule["column"] for rule in rules if "column" in rule} | set(data.get("keep", {}))
    used |= {field for text in templates for field in _FIELD.findall(text)}
    unused = set(data.get("unused", {}))
    heads = [
        set(data.get("header", [])) or head_of(laid_out(name, make, tmp_path / make.__name__).table, data)
        for make in LAYOUTS[name]
    ]
    assert not used & unused
    assert all(used <= head for head in heads)
    assert set().union(*heads) == used | unused


def head_of(table, data):
    """Return the names in the first line of a table."""
    line = table.read_text(encoding=data.get("encoding", "utf-8")).splitlines()[0]
    return set(line.split("\t" if "\t" in line else ","))


@pytest.mark.parametrize("name", TEXTS)
def test_a_mapping_says_what_it_is_for(name):
    data = tomllib.loads(TEXTS[name])
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]*", name)
    assert data["title"].partition(": ")[2], "the table"
    assert f"--mapping {name} " in TEXTS[name], "the command"
    assert all(reason.strip() for reason in data.get("unused", {}).values())
    assert "question" not in TEXTS[name]
    assert "://" not in TEXTS[name]
