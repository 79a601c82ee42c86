"""UIDs and bytes that may never change: a user who runs the tool again next year gets the same objects.

`demo.csv` holds what the demo data set becomes. Where a change of bytes is meant, raise its maker's `output_schema`, say so in
the CHANGELOG, and write the file anew: `python -m tests.golden.test_golden`.
"""

from __future__ import annotations

import csv
import tempfile
from pathlib import Path

import pytest

import bulkdcm
from bulkdcm import uids
from bulkdcm.model import ManifestRow

HERE = Path(__file__).parent
DEMO = HERE.parents[1] / "manifests" / "demo" / "manifest.csv"
PINNED = HERE / "demo.csv"
_COLUMNS = ["source", "study_instance_uid", "series_instance_uid", "sop_instance_uid", "output_sha256"]

SOURCE_SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
ROW = {"PatientID": "00123", "StudyDate": "20230726", "StudyID": "1", "SeriesNumber": "2", "Modality": "CR"}


def current() -> list[dict[str, str]]:
    """Return the demo's UIDs and digests; none for pixels that a lossy decoder made, which may differ by its release."""
    with tempfile.TemporaryDirectory() as folder:
        frame = bulkdcm.convert(DEMO, folder, backend="sequential").table
    decoded_lossy = frame["decisions"].str.contains("decoded:") | frame["source"].str.endswith((".webp", ".gif"))
    frame.loc[decoded_lossy.fillna(value=False).astype(bool), "output_sha256"] = ""
    return frame[_COLUMNS].fillna("").astype(str).to_dict("records")


def test_the_demo_has_the_pinned_uids_and_bytes():
    with PINNED.open(newline="", encoding="utf-8") as file:
        assert current() == list(csv.DictReader(file))


@pytest.mark.parametrize(
    ("change", "key", "options", "expected"),
    [
        (
            {},
            b"",
            "",
            (
                "2.25.276737266659209568777705664627360755915",
                "2.25.121530907889178809690961943676636830045",
                "2.25.317883250792269892220783123556763085036",
            ),
        ),
        (
            {"study": "follow-up"},
            b"",
            "",
            (
                "2.25.105046802964084359584757316542019853427",
                "2.25.161530162315271788796434707812692060904",
                "2.25.231473373647504386307060524777555125112",
            ),
        ),
        (
            {},
            b"a secret",
            "",
            (
                "2.25.29726143495199752026461267372756593847",
                "2.25.164757951055208996884907695119056832907",
                "2.25.19613917994772230689192227491262599085",
            ),
        ),
        (
            {},
            b"",
            "background=#000000",
            (
                "2.25.276737266659209568777705664627360755915",
                "2.25.121530907889178809690961943676636830045",
                "2.25.171900657411772985296025303896844579674",
            ),
        ),
    ],
    ids=["plain", "study key", "uid key", "pixel option"],
)
def test_derived_uids_are_pinned(change, key, options, expected):
    row = ManifestRow(
        ordinal=0,
        line=2,
        source="a/0001.png",
        output="a/0001.dcm",
        sop_class_uid="1.2.840.10008.5.1.4.1.1.1",
        attributes=ROW,
        **change,
    )
    found = uids.assign(row, SOURCE_SHA256, options, key)
    assert (found.study_instance_uid, found.series_instance_uid, found.sop_instance_uid) == expected


if __name__ == "__main__":
    with PINNED.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, _COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(current())
