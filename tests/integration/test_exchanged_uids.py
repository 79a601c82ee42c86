"""Rows that exchange their given UIDs, with outputs that are named by them: both files are right, whatever ran first."""

from __future__ import annotations

import contextlib
import itertools

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread

import bulkdcm
from bulkdcm.validation import verify

UIDS = tuple(f"2.25.{number}" for number in (1001, 1002, 1003))
NAMES = ("a.png", "b.png", "c.png")
SHADES = dict(zip(NAMES, (10, 20, 30), strict=True))


@pytest.fixture
def folder(tmp_path):
    for name, shade in SHADES.items():
        Image.new("L", (5, 4), shade).save(tmp_path / name)
    return tmp_path


def manifest(folder, *uids, header="SOPInstanceUID", names=NAMES):
    lines = [f"source,PatientID,StudyDate,InstanceNumber,{header}"]
    lines += [
        f"{name},1,20230102,{number},{uid}" for number, (name, uid) in enumerate(zip(names, uids, strict=True), 1)
    ]
    path = folder / "m.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def converted(folder, path, **options):
    return bulkdcm.convert(path, folder / "out", layout="uid", backend="sequential", **options)


def shades(folder):
    """Return the shade of each output by its SOPInstanceUID, which its name must bear; each file is sound."""
    found = {}
    for path in sorted((folder / "out").rglob("*")):
        if path.is_dir() or ".bulkdcm" in path.parts or path.parent == folder / "out":
            continue
        assert path.suffix == ".dcm", f"{path} is left"
        assert verify(path) == ()
        dataset = dcmread(path)
        assert path.stem == dataset.SOPInstanceUID
        found[dataset.SOPInstanceUID] = int(np.unique(dataset.pixel_array).item())
    return found


@pytest.mark.parametrize("order", list(itertools.permutations(range(3)))[1:])
@pytest.mark.parametrize("chunk_size", [0, 1])
def test_exchanged_uids_are_exchanged_files(order, chunk_size, folder):
    converted(folder, manifest(folder, *UIDS))
    assert shades(folder) == dict(zip(UIDS, SHADES.values(), strict=True))
    exchanged = [UIDS[place] for place in order]
    report = converted(folder, manifest(folder, *exchanged), chunk_size=chunk_size)
    assert report.exit_code == 0, report.table["message"].tolist()
    assert set(report.table["status"]) == {"converted"}
    wanted = dict(zip(exchanged, SHADES.values(), strict=True))
    assert shades(folder) == wanted
    assert list(report.table["sop_instance_uid"]) == exchanged
    again = converted(folder, folder / "m.csv")
    assert list(again.ran) == []
    assert again.exit_code == 0
    assert shades(folder) == wanted


def test_a_chain_of_uids_moves_on_by_one(folder):
    converted(folder, manifest(folder, *UIDS))
    moved = (UIDS[1], UIDS[2], "2.25.1004")
    report = converted(folder, manifest(folder, *moved))
    assert report.exit_code == 0, report.table["message"].tolist()
    assert shades(folder) == dict(zip(moved, SHADES.values(), strict=True))


@pytest.mark.parametrize("broken", [0, 1])
def test_where_one_of_two_fails_nothing_is_lost_and_the_next_run_ends_it(broken, folder):
    converted(folder, manifest(folder, *UIDS))
    first = shades(folder)
    exchanged = (UIDS[1], UIDS[0], UIDS[2])
    path = folder / NAMES[broken]
    good = path.read_bytes()
    path.write_bytes(b"broken")
    report = converted(folder, manifest(folder, *exchanged))
    assert report.exit_code == 1
    assert shades(folder) == first
    path.write_bytes(good)
    report = converted(folder, folder / "m.csv")
    assert report.exit_code == 0, report.table["message"].tolist()
    assert shades(folder) == dict(zip(exchanged, SHADES.values(), strict=True))


@pytest.mark.parametrize("rows", ["0:1", "1:2"])
def test_where_one_of_two_is_selected_nothing_is_lost_and_the_next_run_ends_it(rows, folder):
    converted(folder, manifest(folder, *UIDS))
    first = shades(folder)
    exchanged = (UIDS[1], UIDS[0], UIDS[2])
    path = manifest(folder, *exchanged)
    with contextlib.suppress(bulkdcm.ManifestError):  # or the row fails
        converted(folder, path, rows=rows)
    assert shades(folder) == first
    report = converted(folder, path)
    assert report.exit_code == 0, report.table["message"].tolist()
    assert shades(folder) == dict(zip(exchanged, SHADES.values(), strict=True))


@pytest.mark.parametrize("header", ["StudyInstanceUID", "SeriesInstanceUID"])
def test_exchanged_studies_and_series_are_exchanged_files(header, folder):
    path = manifest(folder, *UIDS, header=f"SOPInstanceUID,study,{header}", names=NAMES)
    text = path.read_text(encoding="utf-8").splitlines()
    for given in (("2.25.71", "2.25.72", "2.25.73"), ("2.25.72", "2.25.71", "2.25.73")):
        lines = [f"{line},{number},{uid}" for number, (line, uid) in enumerate(zip(text[1:], given, strict=True))]
        path.write_text("\n".join([text[0], *lines]) + "\n", encoding="utf-8")
        report = converted(folder, path)
        assert report.exit_code == 0, report.table["message"].tolist()
        assert shades(folder) == dict(zip(UIDS, SHADES.values(), strict=True))
        made = {dcmread(file)[header].value for file in (folder / "out").rglob("*.dcm")}
        assert made == set(given)
        for file in (folder / "out").rglob("*.dcm"):
            place = 2 if header == "StudyInstanceUID" else 1
            assert file.parts[-1 - place] == dcmread(file)[header].value
