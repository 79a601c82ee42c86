"""Options: validated once, with a digest of those that change bytes."""

from __future__ import annotations

from pathlib import Path

import pytest

from bulkdcm.errors import SettingsError
from bulkdcm.settings import Settings


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("backend", "spark", "loky, threading, sequential"),
        ("layout", "x", "mirror, uid"),
        ("transfer_syntax", "jpeg", "auto, explicit"),
        ("transfer_syntax", "jpeg-baseline", "jpeg-baseline:90"),
        ("transfer_syntax", "jpeg-baseline:101", "1 to 100"),
        ("transfer_syntax", "rle:5", "no quality"),
        ("n_jobs", -1, "from 0"),
        ("max_pixels", 0, "from 1"),
        ("row_timeout", -1.0, "seconds"),
        ("background", "green", "#rrggbb"),
        ("encoding", "utf-99", "Python knows"),
        ("colour", 1, "keep_color"),
    ],
)
def test_an_option_that_is_not_possible_says_which_are(option, value, words):
    with pytest.raises(SettingsError, match=words) as caught:
        Settings.of(**{option: value})
    assert str(value) in str(caught.value) or option in str(caught.value)


def test_options_as_a_caller_writes_them():
    settings = Settings.of(images="png", defaults={"Modality": "CR"}, ignore_columns=["x"], background="White")
    assert settings.images == Path("png")
    assert settings.defaults == (("Modality", "CR"),)
    assert settings.ignore_columns == ("x",)
    assert settings.background == "#ffffff"


def test_only_options_that_change_bytes_are_in_the_digest():
    plain = Settings().output_options(b"")
    assert Settings.of(n_jobs=3, chunk_size=5, fsync=False, backend="threading").output_options(b"") == plain
    for change in (
        {"transfer_syntax": "implicit"},
        {"background": "white"},
        {"keep_color": True},
        {"convert_cmyk": True},
    ):
        assert Settings.of(**change).output_options(b"") != plain
    assert Settings().output_options(b"secret") != plain
    assert "secret" not in Settings().output_options(b"secret")


def test_only_options_that_change_pixels_move_a_uid():
    assert Settings.of(transfer_syntax="jpeg-ls").pixel_options == Settings().pixel_options == ""
    assert Settings.of(transfer_syntax="jpeg-baseline:90").pixel_options == "transfer_syntax=jpeg-baseline:90"
