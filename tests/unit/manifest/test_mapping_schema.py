"""The JSON schema of mappings takes what the reader takes."""

from __future__ import annotations

import tomllib
from pathlib import Path

import jsonschema
import pytest

from bulkdcm import mappings
from bulkdcm.attributes import dictionary
from bulkdcm.errors import SettingsError
from bulkdcm.manifest import conversions, mapping_file, mapping_keys
from bulkdcm.settings import Settings
from tests.tables import make_mapping_schema

VALIDATOR = jsonschema.Draft202012Validator(mapping_keys.schema())
TAKEN = [
    "source = 'a'",
    "source = { column = 'f', take = '(x)', values = { a = 1 }, else = '', empty = 2.5 }",
    "source = { template = ['a', 'b'] }",
    "source = { count = [], start = '0001', prefix = 'A' }",
    "source = { column = 'f', split = '_', part = -1 }",
    "source = { column = 'f', as = 'code', codes = { a = 'x^y^z', b = ['x', 'y', 'z'] } }",
    "source = { column = 'f', as = 'age', unit = 'M', units = { ans = 'Y' }, round = 'down' }",
    "source = { column = 'f', as = 'date', formats = '%d', first_year = 1930 }",
    "source = { question = 'where?' }",
]
REFUSED = [
    "PatientID = 'a'",
    "source = true",
    "source = { colum = 'f' }",
    "source = { column = 'f', value = 'x' }",
    "source = { column = 'f', as = 'name' }",
    "source = { column = 'f', part = 1 }",
    "source = { column = 'f', split = 'x', part = 0 }",
    "source = { column = 'f', start = 1 }",
    "source = { column = 'f', as = 'age', unit = 'X' }",
    "source = { column = 'f', as = 'code', codes = { a = 'x' } }",
    "source = { template = [] }",
    "source = { column = 'f', round = 'up' }",
]


def loaded(text: str, tmp_path):
    (tmp_path / "m.toml").write_text(text, encoding="utf-8")
    return mapping_file.load(tmp_path / "m.toml")


@pytest.mark.parametrize("rule", TAKEN)
def test_what_the_schema_takes_the_reader_takes(rule, tmp_path):
    text = f"title = 't'\nencoding = 'utf-8'\ndelimiter = 'tab'\nheader = ['f']\nrows_per_image = 'first'\n[keep]\nf = ['x']\n[patterns]\np = '(x)'\n[unused]\nx = 'y'\n[columns]\n{rule}\n"
    VALIDATOR.validate(tomllib.loads(text))
    loaded(text, tmp_path)


@pytest.mark.parametrize("rule", REFUSED)
def test_what_the_reader_refuses_the_schema_refuses(rule, tmp_path):
    text = f"[columns]\n{rule}\n"
    assert list(VALIDATOR.iter_errors(tomllib.loads(text)))
    with pytest.raises(SettingsError):
        loaded(text, tmp_path)


def test_every_key_of_a_conversion_is_one_of_a_rule():
    assert set(mapping_keys.RULE_KEYS) >= conversions.OPTIONS
    assert dictionary.SOURCE in mapping_keys.FILE_KEYS["columns"]["required"]


def test_the_schema_that_is_shipped_is_that_of_the_keys():
    assert mappings.SCHEMA.read_text(encoding="utf-8") == make_mapping_schema.text()


@pytest.mark.parametrize("name", mappings.names())
def test_every_mapping_that_is_shipped_is_of_the_schema(name):
    VALIDATOR.validate(tomllib.loads(mappings.find(name).read_text(encoding="utf-8")))


def test_a_mapping_is_taken_by_its_name_and_a_file_of_that_name_comes_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert Settings.of(mapping="eyepacs").mapping == mappings.find("eyepacs")
    (tmp_path / "eyepacs").write_text("[columns]\nsource = 'a'\n", encoding="utf-8")
    assert Settings.of(mapping="eyepacs").mapping == Path("eyepacs")
    with pytest.raises(SettingsError, match="Did you mean nih-chestxray14"):
        mapping_file.load(Settings.of(mapping="nih").mapping)
    with pytest.raises(SettingsError, match="bulkdcm mappings` lists"):
        mapping_file.load(Settings.of(mapping="x.toml").mapping)
