"""Options from a settings file and from an earlier run: every option that there is, by itself, as on the command line."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import pytest

from bulkdcm.cli import cli, keys, options, paths
from bulkdcm.conversion import given
from bulkdcm.errors import ManifestError, SettingsError
from bulkdcm.ledger.ledger import open_ledger
from bulkdcm.settings import KEPT, Settings
from bulkdcm.settings_file import NAME

CONVERT = cli.commands["convert"]
IN_FILES = [name for name, option in options.CONVERT.items() if not options.by_hand(option)]
BY_HAND = [name for name in options.CONVERT if name not in IN_FILES]
TEXTS = {
    "encoding": "cp1252", "delimiter": "tab", "transfer_syntax": "rle", "background": "#102030", "window": "percentile:0.1",
    "rows": "0:3", "where": "PatientID == '1'", "backend": "threading",
}  # fmt: skip
NUMBERS = {"sample": 2}


def sample(name: str) -> Any:
    """Return a value that is possible and not the usual one, as TOML has it."""
    option = options.CONVERT[name]
    if option.callback is options.pairs:
        return {"Modality": "CR", "StudyID": "a=b"}
    if option.multiple:
        return ["a", "b c"]
    if name in TEXTS:
        return TEXTS[name]
    if isinstance(option.type, click.types.BoolParamType):
        return option.default is not True
    if isinstance(option.type, click.types.FloatParamType):
        return 0.25
    if isinstance(option.type, click.types.IntParamType):
        return NUMBERS.get(name, 3)
    if isinstance(option.type, click.Choice):
        return option.type.choices[-1]
    return "x/y"


def in_toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{name} = {in_toml(cell)}" for name, cell in value.items()) + " }"
    return json.dumps(value)


def words(name: str, value: Any) -> list[str]:
    """Return the same on the command line."""
    option = options.CONVERT[name]
    if isinstance(value, bool):
        return [option.opts[-1] if value else option.secondary_opts[-1]]
    values = [f"{k}={v}" for k, v in value.items()] if isinstance(value, dict) else value
    return [word for one in (values if isinstance(values, list) else [values]) for word in (option.opts[-1], str(one))]


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """Return a folder with a manifest, in which the command is run."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m.csv").write_text("source\na.png\n", encoding="utf-8")
    (tmp_path / "x").mkdir()
    return tmp_path


def params(*arguments: str, command: str = "convert") -> dict[str, Any]:
    return cli.commands[command].make_context(command, list(arguments)).params


def refused(folder: Path, text: str) -> str:
    (folder / NAME).write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        params("m.csv", "--out", "o")
    assert caught.value.exit_code == 2
    assert caught.value.message.startswith(f"{NAME}: ")
    return caught.value.message.removeprefix(f"{NAME}: ")


@pytest.mark.parametrize("written", ["n-jobs", "n_jobs"])
@pytest.mark.parametrize("name", IN_FILES)
def test_every_option_can_be_in_a_file_and_means_what_it_means_on_the_command_line(name, written, folder):
    key = keys.key(name) if written == "n-jobs" else keys.key(name).replace("-", "_")
    (folder / NAME).write_text(f"{key} = {in_toml(sample(name))}\n", encoding="utf-8")
    out = [] if name == "out" else ["--out", "o"]
    taken = params("m.csv", *out)
    assert taken == params("m.csv", *out, "--no-settings", *words(name, sample(name)))
    assert taken != params("m.csv", "--out", "o", "--no-settings")


@pytest.mark.parametrize("name", [name for name in IN_FILES if name != "out"])
def test_the_command_line_wins(name, folder):
    option = options.CONVERT[name]
    if option.multiple:
        (folder / NAME).write_text(
            'set = { Modality = "CR", StudyID = "1" }\nignore-column = ["a", "b"]\n', encoding="utf-8"
        )
        taken = params("m.csv", "--out", "o", "--set", "Modality=", "--ignore-column", "b", "--ignore-column", "c")
        assert taken["defaults"] == (("Modality", ""), ("StudyID", "1"))
        assert taken["ignore_columns"] == ("b", "c", "a")
        return
    usual = params("m.csv", "--out", "o")[name]
    if usual in {None, ""}:
        return  # no word says so
    (folder / NAME).write_text(f"{keys.key(name)} = {in_toml(sample(name))}\n", encoding="utf-8")
    no = [] if usual is False else words(name, usual)
    if no:
        assert params("m.csv", "--out", "o", *no)[name] == usual


@pytest.mark.parametrize("name", BY_HAND)
def test_what_is_given_by_hand_is_refused_in_a_file_with_the_reason(name, folder):
    option = options.CONVERT[name]
    said = refused(folder, f"{keys.key(name)} = true\n")
    assert said == (
        f"{keys.key(name)} can't be set in a file, since {options.by_hand(option)}. Give {option.opts[-1]} on the command line."
    )


def test_what_destroys_leads_outside_or_tells_others_is_given_by_hand():
    assert {"overwrite", "prune", "follow_links", "ledger", "scheduler", "log_file", "metrics", "quiet"} <= set(BY_HAND)


@pytest.mark.parametrize("name", [n for n in IN_FILES if n != "out"])
def test_a_value_of_another_type_is_refused_by_its_key(name, folder):
    value = sample(name)
    for wrong in ({"a": 1.5}, [1], "x", 1, True, 1.5, ""):
        if type(wrong) is type(value) and wrong not in ([1], {"a": 1.5}):
            continue
        if wrong == "x" and options.CONVERT[name].multiple and not isinstance(value, dict):
            continue  # one name needs no list
        if wrong == "" and isinstance(value, list):
            continue
        if wrong == 1 and not isinstance(wrong, bool) and isinstance(value, float):
            continue
        said = refused(folder, f"{keys.key(name)} = {in_toml(wrong)}\n")
        assert said.startswith(f"{keys.key(name)} = ")
        assert "write" in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('imags = "png"', "'imags' is no option. Did you mean images?"),
        ('defaults = { a = "b" }', "'defaults' is no option. Did you mean set?"),
        ("N-Jobs = 1", "'N-Jobs' is no option. Did you mean n-jobs?"),
        ('"\\u001b[31m" = 1', "is no option. `bulkdcm help options` lists them."),
        ("n-jobs = 1\nn_jobs = 2", "n-jobs is there twice, with - and with _."),
        ('layout = "x"', "layout: 'x' is not one of 'mirror', 'uid'."),
        ("max-missing = 2.5", "max-missing: 2.5 is not in the range"),
        ('images = "a\\u0000b"', "a NUL is in it"),
        ('set = { "=" = "b" }', "'=' is no keyword"),
        ("set = { StudyDate = 2023-01-01 }", "write StudyDate as a text in quotation marks"),
        ('images = ""', "write a path"),
        ('images = "s3://bucket/x"', "this is a URL"),
        ('images = "x', "(at line 1, column 12)"),
        ('images = "x"\nn-jobs == 1', "(at line 2, column 9)"),
    ],
)
def test_what_means_nothing_is_told_by_its_key_or_place(text, said, folder):
    assert said in refused(folder, text + "\n")


@pytest.mark.parametrize("out", ["../o", "/tmp/o", "x/../../o", "away/o", "away"])
def test_a_file_has_nothing_written_outside_its_folder(out, folder):
    (folder / "away").symlink_to("/tmp")
    assert "ive it on the command line" in refused(folder, f"out = {in_toml(out)}\n")
    assert params("m.csv", "--no-settings", "--out", out)["out"] == Path(out)


def test_paths_are_relative_to_the_file(folder, monkeypatch):
    (folder / NAME).write_text('images = "x"\ntemplate = "../t.dcm"\nmapping = "own.toml"\n', encoding="utf-8")
    (folder / "elsewhere").mkdir()
    monkeypatch.chdir(folder / "elsewhere")
    taken = params("../m.csv", "--out", "o")
    assert taken["images"].resolve() == folder / "x"
    assert taken["template"].resolve() == folder.parent / "t.dcm"
    assert taken["mapping"].resolve() == folder / "own.toml"


@pytest.mark.parametrize("name", [n for n in IN_FILES if isinstance(options.CONVERT[n].type, paths.LocalPath)])
def test_no_path_of_a_file_names_a_pipe_or_a_device(name, folder):
    os.mkfifo(folder / "pipe")
    assert "neither a file nor a folder" in refused(folder, f'{keys.key(name)} = "pipe"\n')
    if name != "out":
        assert "neither a file nor a folder" in refused(folder, f'{keys.key(name)} = "/dev/zero"\n')


def test_a_mapping_is_a_name_unless_a_file_is_called_so(folder):
    (folder / NAME).write_text('mapping = "nih-chestxray14"\n', encoding="utf-8")
    assert params("m.csv", "--out", "o")["mapping"].name == "nih-chestxray14.toml"
    (folder / "nih-chestxray14").write_text("", encoding="utf-8")
    assert params("m.csv", "--out", "o")["mapping"] == Path("nih-chestxray14")


@pytest.mark.parametrize(("command", "takes"), [("check", True), ("rebuild", True), ("bench", True), ("verify", True)])
def test_other_commands_take_what_they_share(command, takes, folder):
    (folder / NAME).write_text('out = "o"\nencoding = "cp1252"\nsample = 5\nn-jobs = 3\n', encoding="utf-8")
    words = ["x", "--manifest", "m.csv"] if command == "verify" else ["m.csv"]
    taken = params(*words, command=command)
    assert (taken["encoding"] == "cp1252") is takes
    if command != "rebuild":
        assert taken.get("sample", 0) != 5  # another option, if there is one
    if command == "bench":
        assert taken["n_jobs"] == []


def test_verify_without_a_manifest_and_what_reads_none_leave_the_file_alone(folder):
    (folder / NAME).write_text("no toml", encoding="utf-8")
    assert params("x", command="verify")
    assert params("x", "--out", "m2.csv", command="init")
    with contextlib.suppress(click.exceptions.Exit):
        params("m.csv", "--help")


def kept(folder: Path, settings: Settings) -> Path:
    """Return an output folder whose last run had these settings."""
    out = folder / "dicom"
    ledger = open_ledger(out, None)
    try:
        given.note(ledger, folder / "m.csv", folder / "m.csv", settings, out)
    finally:
        ledger.close()
    return out


def of_settings(name: str) -> Any:
    value = sample(name)
    return Path(value) if isinstance(options.CONVERT[name].type, paths.LocalPath) else value


@pytest.mark.parametrize("name", KEPT)
def test_every_option_that_a_run_keeps_is_as_it_was(name, folder):
    settings = Settings.of(
        **{name: of_settings(name), "images": folder / "x"} | ({name: folder / "x"} if name == "images" else {})
    )
    taken = params(str(kept(folder, settings)))
    assert (taken["manifest"], taken["out"]) == (folder / "m.csv", folder / "dicom")
    again = Settings.of(**{each: taken[each] for each in asdict(settings)})
    expected = asdict(settings)
    for each in ("mapping", "template", "uid_key_file"):
        expected[each] = expected[each] and folder / expected[each]
    assert asdict(again) == expected
    assert asdict(again) != asdict(Settings())


@pytest.mark.parametrize("name", sorted(set(BY_HAND) & set(asdict(Settings()))))
def test_what_a_run_does_not_keep_is_as_usual(name, folder):
    if name in KEPT or name == "ledger":
        return
    value: dict[str, Any] = {name: True}
    if name == "scheduler":
        value = {"scheduler": "tcp://host:8786", "backend": "dask"}
    taken = params(str(kept(folder, Settings.of(**value))))
    assert taken[name] == getattr(Settings(), name)


def test_the_first_of_two_values_for_one_keyword_is_kept(folder):
    out = kept(folder, Settings(defaults=(("Modality", "CR"), ("Modality", "CT"), ("StudyID", ""))))
    assert dict(params(str(out))["defaults"]) == {"Modality": "CR", "StudyID": ""}


def test_a_mapping_that_comes_with_bulkdcm_is_kept_by_its_name(folder):
    out = kept(folder, Settings(mapping=Path("nih-chestxray14")))
    ledger = open_ledger(out, None)
    assert json.loads(ledger.fact(given.FACT))["options"]["mapping"] == "nih-chestxray14"
    ledger.close()
    assert params(str(out))["mapping"].is_file()


@pytest.mark.parametrize(
    "note",
    [
        "", "{", "[]", "1", "{}", '{"manifest": 1, "whole": true}', '{"manifest": "/x", "options": 3, "whole": true}',
        '{"manifest": "/x", "options": {"defaults": 3}, "whole": true}', '{"manifest": "m.csv", "near": [1], "whole": true}',
        '{"manifest": "/x", "options": {"images": 3}, "whole": true}',
        '{"manifest": "/no\\u0000where", "options": {}, "whole": true}', "[" * 100_000,
    ],
)  # fmt: skip
def test_a_note_that_says_nothing_is_refused_with_the_remedy(note, folder):
    out = kept(folder, Settings())
    ledger = open_ledger(out, None)
    ledger.note(given.FACT, note)
    ledger.close()
    with pytest.raises(
        ManifestError, match=r"Name the manifest, with the run's options: `bulkdcm convert MANIFEST --out .*dicom`"
    ):
        params(str(out))


@pytest.mark.parametrize(
    ("options_noted", "said"),
    [
        ({"n_jobs": "8"}, "n-jobs = '8': write a whole number"),
        ({"sheet": "a\0b"}, "a NUL is in it"),
        ({"overwrite": True}, "doesn't know the option 'overwrite'"),
        ({"prune": True}, "doesn't know the option 'prune'"),
        ({"scheduler": "tcp://x:1"}, "doesn't know the option 'scheduler'"),
        ({"of_tomorrow": 1}, "doesn't know the option 'of_tomorrow'"),
    ],
)
def test_a_folder_of_somebody_else_gives_no_option_that_a_run_would_not_keep(options_noted, said, folder):
    out = kept(folder, Settings())
    ledger = open_ledger(out, None)
    noted = json.loads(ledger.fact(given.FACT))
    ledger.note(given.FACT, json.dumps(noted | {"options": options_noted}))
    ledger.close()
    with pytest.raises(SettingsError) as caught:
        params(str(out))
    assert caught.value.message.startswith("settings of the last run: ")
    assert said in caught.value.message
    assert params(str(out), "--no-settings")["manifest"] == folder / "m.csv"
