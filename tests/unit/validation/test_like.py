"""What names an object is in no module's condition, nor has it values to choose from: files that differ in it are alike."""

from __future__ import annotations

import io
import re
from importlib.resources import files

import numpy as np
import pydicom
import pytest
from PIL import Image

import bulkdcm
from bulkdcm import validation
from bulkdcm.attributes import condition_tables
from bulkdcm.attributes.condition_tables import CALLED_UP, ENUMERATED, FORMS, RULES
from bulkdcm.validation import like

MODULES = files("bulkdcm.validation").joinpath("modules.json").read_text(encoding="utf-8")


def test_no_module_asks_for_the_value_of_what_names_an_object():
    for keyword in like.NAMING:
        # A condition names an attribute before an operator, or by itself, which asks whether it is there.
        assert not re.search(rf"\b{keyword}(?: value \d+)? ?(=|!=|>)", MODULES), keyword
        assert not re.search(rf'"{keyword}": {{[^}}]*"values"', MODULES), keyword
    assert re.search(r'"PatientSex": {[^}]*"values"|"LossyImageCompression": {[^}]*"values"', MODULES)


def test_no_condition_asks_for_the_value_of_what_names_an_object():
    tests = [rule.when for rule in RULES] + [
        test for rule in RULES for test in (*rule.unless, *rule.needs, *rule.excludes)
    ]
    tests += [test for called in CALLED_UP for test in called.members]
    asked = {test.keyword for test in tests if test.values or test.place is not None}
    asked |= {table.keyword for table in ENUMERATED} | {form.keyword for form in FORMS}
    assert asked
    assert not asked & like.NAMING
    assert condition_tables.SAME_COUNT  # which counts values, as `like` does


@pytest.fixture
def file(tmp_path):
    Image.fromarray(np.random.default_rng(1).integers(0, 255, (9, 11), dtype=np.uint8)).save(tmp_path / "a.png")
    (tmp_path / "m.csv").write_text("source,PatientID,InstanceNumber\na.png,1,1\n", encoding="utf-8")
    bulkdcm.convert(tmp_path / "m.csv", tmp_path / "out", backend="sequential", fsync=False)
    return tmp_path / "out/a.dcm"


def found(file, **values) -> list[str]:
    dataset = pydicom.dcmread(file)
    for keyword, value in values.items():
        if value is None:
            del dataset[keyword]
        else:
            setattr(dataset, keyword, value)
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    return [where for where, _ in validation.checked(buffer.getvalue())]


def test_what_is_not_alike_is_looked_at(file):
    assert found(file) == []
    assert found(file, PatientID="2", InstanceNumber="7") == []
    assert "InstanceNumber" in found(file, InstanceNumber=None)
    assert "ConversionType" in found(file, ConversionType=None)
    assert "PixelAspectRatio" in found(file, PixelAspectRatio=["1", "2"], PixelSpacing=["1", "1"])
    assert "PixelAspectRatio" not in found(file, PixelSpacing=["1", "1"])
    assert found(file) == []
    assert len(like._known) >= 4
