"""A part of the rows: by place, condition or sample."""

from __future__ import annotations

import numpy as np
import pytest

from bulkdcm.errors import SettingsError
from bulkdcm.manifest import Column, Manifest, selected
from bulkdcm.settings import Settings


@pytest.fixture
def table(tmp_path):
    def column(*cells):
        return (
            Column(np.zeros(0, dtype=np.int32), [])
            if not cells
            else Column(np.arange(len(cells), dtype=np.int32), list(cells))
        )

    columns = {
        "source": column(*(f"{n}.png" for n in range(6))),
        "Modality": column("CR", "CR", "DX", "US", "", "CR"),
        "StudyDate": column("20200101", "20210101", "20220101", "", "20230101", "20240101"),
        "SeriesNumber": column("1", "2", "10", "03", "x", ""),
    }
    return Manifest(tmp_path, columns, np.arange(2, 8, dtype=np.int32))


@pytest.mark.parametrize(
    ("options", "rows"),
    [
        ({"rows": "1:3"}, [1, 2]),
        ({"rows": "4:"}, [4, 5]),
        ({"rows": ":2"}, [0, 1]),
        ({"where": "Modality == 'CR'"}, [0, 1, 5]),
        ({"where": "Modality != 'CR'"}, [2, 3, 4]),
        ({"where": "Modality in ('DX', 'US')"}, [2, 3]),
        ({"where": "Modality not in ['DX', 'US', '']"}, [0, 1, 5]),
        ({"where": "StudyDate >= '20220101' and not Modality == 'CR'"}, [2, 4]),
        ({"where": "SeriesNumber < 5 or Modality == ''"}, [0, 1, 3, 4]),
        ({"where": "SeriesNumber == 3"}, [3]),
        ({"where": "Modality == 'CR'", "rows": "1:"}, [1, 5]),
    ],
)
def test_rows_that_are_taken(options, rows, table):
    assert np.flatnonzero(selected(table, Settings.of(**options))).tolist() == rows


def test_a_sample_is_the_same_every_time_and_grows_by_adding(table):
    samples = [set(np.flatnonzero(selected(table, Settings(sample=count))).tolist()) for count in (2, 2, 4, 99)]
    assert samples[0] == samples[1]
    assert len(samples[0]) == 2
    assert samples[0] < samples[2] < samples[3]


@pytest.mark.parametrize(
    "where",
    ["Modality = 'CR'", "Modality", "__import__('os').system('x')", "Modality == f()", "Modality.upper() == 'CR'", "1 == 1",
     "Modality == 'a' == 'b'", "lambda: 1", "Missing == 'x'", "Modality < ('a',)", "("],
)  # fmt: skip
def test_what_is_no_condition_is_said_and_never_run(where, table):
    with pytest.raises(SettingsError, match="where="):
        selected(table, Settings(where=where))


@pytest.mark.parametrize("rows", ["1", "a:b", "1:2:3", "-1:"])
def test_rows_that_are_no_range_are_said(rows, table):
    with pytest.raises(SettingsError, match="rows="):
        selected(table, Settings(rows=rows))
