"""The window that an object gets, from the values that are there."""

from __future__ import annotations

import numpy as np
import pytest

from bulkdcm.errors import SettingsError
from bulkdcm.iods import BY_NAME, IODS, window
from bulkdcm.model import Frame, ManifestRow
from bulkdcm.settings import Settings

WITH_A_VOI_LUT = {"SC", "CR", "US", "SC-BYTE", "SC-WORD", "DX", "MG", "IO", "CT", "MR"}


def windowed(pixels, asked="present", alias="SC", **attributes) -> Frame:
    gray = pixels.ndim == 2 or pixels.shape[-1] != 3
    frame = Frame(
        rows=pixels.shape[0],
        columns=pixels.shape[1],
        samples_per_pixel=1 if gray else 3,
        bits_stored=8 * pixels.itemsize,
        photometric_interpretation="MONOCHROME2" if gray else "RGB",
        pixels=pixels,
    )
    row = ManifestRow(ordinal=0, line=2, source="a.png", output="a.dcm", attributes=attributes)
    return window.windowed(BY_NAME[alias], row, frame, asked)


def ramp(lowest, highest, dtype=np.uint16):
    return np.linspace(lowest, highest, 40 * 40).astype(dtype).reshape(40, 40)


def test_the_classes_with_a_voi_lut_are_those_of_the_standard():
    assert {iod.alias for iod in IODS if iod.voi_lut} == WITH_A_VOI_LUT


@pytest.mark.parametrize(
    ("lowest", "highest", "rescale", "window"),
    [
        (0, 4095, {}, ("2048", "4096")),
        (0, 300, {}, ("150.5", "301")),
        (7, 8, {}, ("8", "2")),
        (0, 65535, {}, ("32768", "65536")),
        (0, 4095, {"RescaleSlope": "1", "RescaleIntercept": "-1024"}, ("1024", "4096")),
        (0, 4095, {"RescaleSlope": "0.5"}, ("1024.25", "2048.5")),
        (10, 20, {"RescaleSlope": "-2"}, ("-29.5", "21")),
        (0, 3000, {"RescaleSlope": "0.000123456789"}, ("6.851851835E-1", "1.370370367E0")),
    ],
)
def test_the_window_is_that_of_the_values_present_after_the_rescale(lowest, highest, rescale, window):
    frame = windowed(ramp(lowest, highest), **rescale)
    assert tuple(map(float, frame.window)) == pytest.approx(tuple(map(float, window)), rel=1e-9)
    assert all(len(text) <= 16 for text in frame.window)
    assert frame.decisions[-1].startswith(f"window {frame.window.center}/{frame.window.width} of the values present")


@pytest.mark.parametrize("values", [(0, 1), (0, 255), (3, 9)])
def test_a_mask_of_8_bits_gets_a_window(values):
    mask = np.array([[values[0]] * 90, [values[1]] * 90], np.uint8)
    assert float(windowed(mask).window.width) == values[1] - values[0] + 1
    assert windowed(mask, alias="XC").window is None
    assert "no window" in windowed(mask, alias="XC").decisions[-1]


def test_other_images_of_8_bits_stay_as_they_are():
    for pixels in (ramp(0, 100, np.uint8), np.zeros((9, 9, 3), np.uint8), np.full((9, 9), 7, np.uint8)):
        frame = windowed(pixels)
        assert frame.window is None
        assert not frame.decisions
    nearly = np.zeros((64, 64), np.uint8)
    nearly[5, 7], nearly[9, 3] = 1, 2
    assert windowed(nearly).window is None


def test_a_constant_image_gets_none_since_a_width_of_1_would_turn_white_into_black():
    assert windowed(np.full((9, 9), 700, np.uint16)).window is None


@pytest.mark.parametrize("own", [{"WindowCenter": "40", "WindowWidth": "400"}, {"WindowWidth": "4096"}])
def test_what_the_row_gives_stays(own):
    assert windowed(ramp(0, 4095), alias="DX", **own).window is None


def test_a_class_without_a_voi_lut_says_what_viewers_do():
    frame = windowed(ramp(0, 4095), alias="OP16")
    assert frame.window is None
    assert frame.decisions == (
        "no window: OphthalmicPhotography16BitImageStorage has none, and a viewer shows 0 to 65535 for the values present, 0 to 4095",
    )


def test_all_frames_of_an_object_have_one_window():
    assert windowed(np.stack([ramp(0, 50), ramp(900, 1000)]), alias="SC-WORD").window == ("500.5", "1001")


def burned_in():
    pixels = ramp(0, 4095)
    pixels[20, :4] = 65535
    return pixels


def test_letters_burned_in_are_told_and_a_percentile_leaves_them_out():
    frame = windowed(burned_in())
    assert frame.window == ("32768", "65536")
    assert frame.decisions[-1].endswith("99.5 % of the pixels are up to 4084, which --window percentile:0.5 shows")
    assert "--window" not in windowed(ramp(0, 4095)).decisions[-1]
    cut = windowed(burned_in(), "percentile:0.5")
    assert float(cut.window.width) < 4097
    assert "0.5 % of the pixels below and above" in cut.decisions[-1]


def test_a_percentile_that_leaves_one_value_is_the_values_present():
    pixels = np.zeros((100, 100), np.uint16)
    pixels[0, 0] = 9
    assert windowed(pixels, "percentile:1").window == ("5", "10")


def test_none_is_none():
    frame = windowed(ramp(0, 4095), "none")
    assert frame.window is None
    assert not frame.decisions


@pytest.mark.parametrize(
    "text", ["", "full", "percentile", "percentile:0", "percentile:50", "percentile:x", "present:1"]
)
def test_another_window_is_refused(text):
    with pytest.raises(SettingsError, match=r"percentile:0\.1"):
        Settings(window=text)


def test_the_window_decides_whether_a_row_is_done_and_moves_no_uid():
    asked = Settings(window="percentile:0.1")
    assert asked.output_options(b"") != Settings().output_options(b"")
    assert asked.pixel_options == Settings().pixel_options
