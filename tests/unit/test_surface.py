"""One message for both surfaces: options on the command line, arguments in Python."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

import bulkdcm
from bulkdcm import surface
from bulkdcm.errors import ManifestError, SettingsError
from bulkdcm.model import Problem
from bulkdcm.settings import Settings

SOURCES = sorted(Path(bulkdcm.__file__).parent.rglob("*.py"))

SAID = [
    ("--out /a b/c: Permission denied. Name a folder", "out='/a b/c': Permission denied. Name a folder"),
    ("--n-jobs 'x y' is not possible. Possible: 1.", "n_jobs='x y' is not possible. Possible: 1."),
    ("Move it away, or use another --out.", "Move it away, or use another out=."),
    ("Use an --out on another disk, or use --layout uid", "Use an out= on another disk, or use layout='uid'"),
    ("Give another name, relative to --out", "Give another name, relative to out="),
    ("--set Modality=X: bad.", "defaults={'Modality': 'X'}: bad."),
    ("with --set PatientID=…", "with defaults={'PatientID': '…'}"),
    ("Leave it out with --ignore-column age where", "Leave it out with ignore_columns=['age'] where"),
    ("with --ignore-column 'Image Index'", "with ignore_columns=['Image Index']"),
    ("--skip-invalid can't skip: all", "skip_invalid=True can't skip: all"),
    ("--backend dask needs dask: pip install x", "backend='dask' needs dask: pip install x"),
    ("as --encoding cp1252 or --encoding gb18030", "as encoding='cp1252' or encoding='gb18030'"),
    ("give --max-missing 1.", "give max_missing=1."),
    ("Allow them with --follow-links, or", "Allow them with follow_links=True, or"),
    ("--no-retry-failed leaves them", "retry_failed=False leaves them"),
    ("--where 'a: b': no. Write", "where='a: b': no. Write"),
    ("`bulkdcm init x --out m.csv` writes one", "`bulkdcm init x --out m.csv` writes one"),
    ("--number X=1: count", "--number X=1: count"),
    ("'a--out': nothing", "'a--out': nothing"),
]


@pytest.mark.parametrize(("options", "arguments"), SAID)
def test_a_message_written_with_options_is_said_with_arguments(options, arguments):
    assert surface.in_arguments(options) == arguments
    assert str(SettingsError(options)) == arguments
    assert SettingsError(options).message == options


def test_the_flags_are_those_of_the_settings():
    flags = {field.name for field in dataclasses.fields(Settings) if "bool" in str(field.type)}
    assert flags == surface._FLAGS


def test_every_option_in_a_message_is_an_argument_or_known_to_be_none():
    known = {field.name for field in dataclasses.fields(Settings)} | {
        "out",
        "manifest",
        *surface._COMMANDS_ONLY,
        *surface._VERIFY_FLAGS,
    }
    for path in SOURCES:
        if path.parent.name in {"cli", "bench"}:
            continue
        for option in re.findall(r"(?<![\w-])--(?:no-)?([a-z][a-z-]*[a-z])", path.read_text(encoding="utf-8")):
            name = option.replace("-", "_")
            assert surface._NAMES.get(name, name) in known | {"nthreads"}, (path.name, option)


def test_an_error_in_python_tells_the_first_problems_and_speaks_of_arguments():
    problems = [Problem(rule=f"r{'abcde'[n]}", remedy="Use --layout uid", lines=(n + 2,), column="c") for n in range(5)]
    error = ManifestError.of(Path("m.csv"), problems)
    assert str(error).splitlines() == [
        "m.csv: 5 problems found, nothing written.",
        "line 2, column c: ra. Use layout='uid'",
        "line 3, column c: rb. Use layout='uid'",
        "line 4, column c: rc. Use layout='uid'",
        "… and 2 more in `problems`",
    ]
    assert error.message == "m.csv: 5 problems found, nothing written."


def test_the_api_speaks_of_arguments_in_every_kind_of_error(tmp_path):
    manifest = tmp_path / "m.csv"
    manifest.write_text("source,Foo\na.png,1\n", encoding="utf-8")
    with pytest.raises(SettingsError, match="images="):
        bulkdcm.check(manifest, images=tmp_path / "none")
    with pytest.raises(SettingsError, match="n_jobs=-2000 is not possible"):
        bulkdcm.convert(manifest, tmp_path / "out", n_jobs=-2000)
    with pytest.raises(SettingsError, match="out='s3://b/x'"):
        bulkdcm.convert(manifest, "s3://b/x")
    with pytest.raises(ManifestError) as caught:
        bulkdcm.convert(manifest, tmp_path / "out")
    assert "column Foo: the name is no DICOM keyword" in str(caught.value)
    assert "ignore_columns=['Foo']" in str(caught.value)
    assert "--" not in str(caught.value)
