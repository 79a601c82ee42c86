"""Pictures as a viewer shows them: windowed, the right way round, with square pixels; and words if there is none."""

from __future__ import annotations

import io
import os

import numpy as np
import pytest
from PIL import Image

import bulkdcm
from bulkdcm.pictures import look
from bulkdcm.report.look import Wanted
from bulkdcm.stores import Local
from tests.conformance import cases


def pixels(picture) -> np.ndarray:
    assert picture.data, picture.said
    return np.asarray(Image.open(io.BytesIO(picture.data)))


@pytest.fixture
def album(tmp_path):
    """Return a function: an array and cells of its row, to the picture of its output."""

    def shown(array: np.ndarray, sop_class: str = "SC", **cells: str):
        Image.fromarray(array).save(tmp_path / "a.png")
        row = {**cases.COMMON, **cases.COMPLETE[sop_class], "source": "a.png", "sop_class": sop_class, **cells}
        cases.write_manifest(tmp_path / "m.csv", [row])
        settings = {"transfer_syntax": cells.pop("transfer_syntax", "auto")}
        report = bulkdcm.convert(tmp_path / "m.csv", tmp_path / "out", backend="sequential", fsync=False, **settings)
        assert report.exit_code == 0, report.table["message"].tolist()
        return picture_of(tmp_path, "a.png", "a.dcm")

    return shown


def picture_of(folder, source, output=""):
    (picture,) = look(Local(root=str(folder / "out")), Local(root=str(folder))).pictures(
        [Wanted(0, source, output, bool(output))]
    )
    return picture


RAMP = np.repeat(np.arange(64, dtype=np.uint16) * 60, 64).reshape(64, 64)


def test_a_window_is_applied_and_told(album):
    picture = album(RAMP)
    found = pixels(picture).astype(int)
    assert found[0].mean() < 5
    assert found[-1].mean() > 250
    assert picture.said.startswith("window ")


def test_monochrome1_is_turned(album):
    picture = album(RAMP, "CR", PhotometricInterpretation="MONOCHROME1")
    found = pixels(picture).astype(int)
    assert found[0].mean() > 250
    assert found[-1].mean() < 5
    assert "MONOCHROME1" in picture.said


def test_pixels_are_shown_square(album):
    assert pixels(album(RAMP, PixelAspectRatio="2\\1")).shape == (128, 64)


def test_a_large_image_is_made_small_and_colour_stays(album):
    array = np.zeros((900, 600, 3), np.uint8)
    array[..., 0] = 200
    found = pixels(album(array))
    assert found.shape == (176, 117, 3)
    assert np.abs(found[50, 50].astype(int) - [200, 0, 0]).max() < 8


def test_a_source_is_shown_as_far_as_it_can_be_opened(tmp_path):
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(100, 255, (80, 80), dtype=np.uint8)).save(file, "PNG")
    (tmp_path / "cut.png").write_bytes(file.getvalue()[: len(file.getvalue()) // 2])
    found = pixels(picture_of(tmp_path, "cut.png"))
    assert found[:20].mean() > 100
    assert found[-10:].mean() < 5


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("no.png", None, "no such file"),
        ("page.png", b"<html>", "can't be opened as an image"),
        ("d", b"\0" * 128 + b"DICM", ""),
    ],
)
def test_what_cannot_be_shown_says_why(name, data, told, tmp_path):
    if data is not None:
        (tmp_path / name).write_bytes(data)
    picture = picture_of(tmp_path, name)
    assert not picture.data
    assert told in picture.said
    assert str(tmp_path) not in picture.said


def test_what_is_no_file_of_the_image_root_is_not_looked_at(tmp_path):
    root, elsewhere = tmp_path / "root", tmp_path / "elsewhere.png"
    root.mkdir()
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(elsewhere)
    (root / "link.png").symlink_to(elsewhere)
    os.mkfifo(root / "pipe.png")
    for name, told in {
        "link.png": "leads outside the image root",
        "../elsewhere.png": "leads outside the image root",
        "pipe.png": "not a regular file",
    }.items():
        picture = picture_of(root, name)
        assert (picture.data, picture.said) == (b"", told)


def test_the_patient_is_the_one_of_the_output(album, tmp_path):
    album(RAMP, PatientID="00123", PatientName="Doe^Jane")
    album_of = look(Local(root=str(tmp_path / "out")), None)
    assert album_of.patient_of("a.dcm") == ("00123", "Doe^Jane")
    assert album_of.patient_of("b.dcm") == ("", "")
