"""Every SOP class, pixel kind and transfer syntax: nothing found by any validator, the same pixels in every reader."""

from __future__ import annotations

import pytest

from bulkdcm.iods import BY_NAME, IODS
from tests.conformance import cases, matrix, readers


def test_every_class_has_a_complete_row():
    assert set(cases.COMPLETE) == {iod.alias for iod in IODS}


@pytest.mark.parametrize("syntax", matrix.SYNTAXES)
@pytest.mark.parametrize("alias", cases.ALIASES)
def test_validators_find_nothing_and_readers_agree(alias, syntax, tmp_path):
    readers.need("dciodvfy", "dcentvfy", "dcmdump", "dcmconv", "gdcminfo", "gdcmconv")
    found = [
        f"{case}: {name}: {text}"
        for case in cases.convert(tmp_path, BY_NAME[alias], syntax)
        for name, texts in matrix.examined(case).items()
        for text in texts
    ]
    assert not found


def test_a_faulty_file_is_found(tmp_path):
    readers.need("dciodvfy")
    (case, *_) = cases.convert(tmp_path, BY_NAME["SC"], "auto")
    path = case.paths[0]
    path.write_bytes(path.read_bytes().replace(b"WSD ", b"XYZ "))
    assert readers.dciodvfy(path)
