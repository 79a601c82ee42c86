"""Options: validated once, with a digest of those that change bytes."""

from __future__ import annotations

from pathlib import Path

import pytest

from bulkdcm.errors import SettingsError
from bulkdcm.settings import ROW_TIMEOUT_S, Settings


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("backend", "spark", "loky, threading, sequential"),
        ("layout", "x", "mirror, uid"),
        ("transfer_syntax", "jpeg", "auto, explicit"),
        ("transfer_syntax", "jpeg-baseline", "jpeg-baseline:90"),
        ("transfer_syntax", "jpeg-baseline:101", "1 to 100"),
        ("transfer_syntax", "rle:5", "no quality"),
        ("n_jobs", -1024, "from -1023"),
        ("max_pixels", 0, "from 1"),
        ("row_timeout", -1.0, "seconds"),
        ("streams", "check", "trust, decode"),
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


@pytest.mark.parametrize(
    ("option", "lowest", "below"),
    [("n_jobs", -1023, -1024), ("chunk_size", 0, -1), ("sample", 0, -1), ("memory_limit", 0, -1), ("max_pixels", 1, 0)],
)
def test_a_number_may_be_its_lowest_and_no_less_and_no_fraction(option, lowest, below):
    assert getattr(Settings.of(**{option: lowest}), option) == lowest
    for wrong in (below, lowest + 0.5):
        with pytest.raises(SettingsError, match=f"{option}={wrong} is not possible"):
            Settings.of(**{option: wrong})


@pytest.mark.parametrize(
    ("syntax", "quality"), [("jpeg-baseline:1", 1), ("jpeg-baseline:100", 100), ("rle", 0), ("auto", 0)]
)
def test_a_quality_goes_with_a_lossy_syntax_alone(syntax, quality):
    settings = Settings.of(transfer_syntax=syntax)
    assert (settings.compression, settings.quality) == (syntax.partition(":")[0], quality)


@pytest.mark.parametrize(
    "syntax", ["jpeg-baseline:0", "jpeg-baseline:", "jpeg-baseline:9x", "jpeg-baseline:090", "rle:"]
)
def test_a_quality_that_is_none_is_refused(syntax):
    with pytest.raises(SettingsError, match="transfer_syntax="):
        Settings.of(transfer_syntax=syntax)


@pytest.mark.parametrize(
    ("options", "selects"),
    [({}, False), ({"rows": ":5"}, True), ({"where": "x"}, True), ({"sample": 1}, True), ({"only_failed": True}, True)],
)
def test_settings_know_whether_they_take_only_some_rows(options, selects):
    assert Settings.of(**options).selects is selects


@pytest.mark.parametrize("encoding", ["hex", "rot13", "base64", "zlib"])
def test_an_encoding_that_is_none_of_text_is_refused(encoding):
    with pytest.raises(SettingsError, match="encoding="):
        Settings.of(encoding=encoding)


@pytest.mark.parametrize(
    ("option", "value"), [("encoding", "a\0b"), ("row_timeout", "5"), ("row_timeout", float("nan"))]
)
def test_a_value_of_no_meaning_is_a_settings_error(option, value):
    with pytest.raises(SettingsError):  # its own, so that the command says it and shows no traceback
        Settings.of(**{option: value})


def test_a_row_has_a_time_limit_by_itself_where_it_can_be_stopped():
    assert Settings.of().row_timeout_s == ROW_TIMEOUT_S
    assert Settings.of(row_timeout=0).row_timeout_s == 0.0
    assert Settings.of(backend="threading").row_timeout_s == 0.0


def test_how_streams_are_looked_at_changes_no_output_and_no_uid():
    looked, trusted = Settings.of(streams="decode", max_pixels=5), Settings.of()
    assert looked.output_options(b"") == trusted.output_options(b"")
    assert looked.pixel_options == trusted.pixel_options
    assert (looked.acceptance, trusted.acceptance) == ("max_pixels=5;streams=decode", "")
