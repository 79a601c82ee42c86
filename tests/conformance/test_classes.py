"""Every SOP class, pixel kind and transfer syntax: nothing found by any validator, the same pixels in every reader."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest

from bulkdcm.iods import BY_NAME, IODS
from bulkdcm.settings import TRANSFER_SYNTAXES
from tests.conformance import cases, readers


def test_every_class_has_a_complete_row():
    assert set(cases.COMPLETE) == {iod.alias for iod in IODS}


@pytest.mark.parametrize("syntax", TRANSFER_SYNTAXES)
@pytest.mark.parametrize("alias", cases.ALIASES)
def test_validators_find_nothing_and_readers_agree(alias, syntax, tmp_path):
    readers.need("dciodvfy", "dcentvfy", "dcmdump", "dcmconv", "gdcminfo", "gdcmconv")
    found = []
    for case in cases.convert(tmp_path, BY_NAME[alias], syntax):
        found += [f"{case}: dcentvfy: {text}" for text in readers.dcentvfy(list(case.paths))]
        for path, pixels in zip(case.paths, case.pixels, strict=True):
            for name, reader in readers.READERS.items():
                found += [f"{case}: {name}: {text}" for text in reader(path)]
            if pixels is not None:
                for read in (readers.dcmtk_pixels, readers.gdcm_pixels, lambda p: pydicom.dcmread(p).pixel_array):
                    np.testing.assert_array_equal(read(path), pixels, err_msg=str(case))
    assert not found
