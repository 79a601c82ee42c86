"""Each VR's limits, at the last value that fits and the first that doesn't (PS3.5 6.2)."""

from __future__ import annotations

import pytest

from bulkdcm.attributes.vr import RULES

FL_MAX = 3.4028234663852886e38

# VR, a value at the limit, the same value one step beyond it.
LIMITS = [
    ("AE", "A" * 16, "A" * 17),
    ("CS", "A" * 16, "A" * 17),
    ("DS", "1" * 16, "1" * 17),
    ("IS", "+00000000001", "+000000000001"),
    ("IS", "2147483647", "2147483648"),
    ("IS", "-2147483648", "-2147483649"),
    ("LO", "张" * 64, "张" * 65),
    ("SH", "x" * 16, "x" * 17),
    ("LT", "x" * 10240, "x" * 10241),
    ("ST", "x" * 1024, "x" * 1025),
    ("PN", "x" * 64, "x" * 65),
    ("PN", "=".join(["x" * 64] * 3), "=".join(["x" * 64, "x" * 65])),
    ("PN", "a^b^c^d^e", "a^b^c^d^e^f"),
    ("PN", "a=b=c", "a=b=c=d"),
    ("UI", "1.2." + "3" * 60, "1.2." + "3" * 61),
    ("UI", f"2.25.{2**128 - 1}", f"2.25.{2**128}"),
    ("UI", "2.999", "3.999"),
    ("UI", "1.39.1", "1.40.1"),
    ("UI", "0.39", "0.40"),
    ("UI", "2.40", "2"),
    ("UI", "1.25.1.2", "2.25.1.2"),
    ("US", "65535", "65536"),
    ("US", "0", "-1"),
    ("SS", "32767", "32768"),
    ("SS", "-32768", "-32769"),
    ("UL", "4294967295", "4294967296"),
    ("UL", "0", "-1"),
    ("SL", "2147483647", "2147483648"),
    ("SL", "-2147483648", "-2147483649"),
    ("UV", "18446744073709551615", "18446744073709551616"),
    ("UV", "0", "-1"),
    ("SV", "9223372036854775807", "9223372036854775808"),
    ("SV", "-9223372036854775808", "-9223372036854775809"),
    ("FL", repr(FL_MAX), "3.5e38"),
    ("FD", "1.7976931348623157e308", "1.8e308"),
    ("DA", "20231231", "20231301"),
    ("DA", "20230131", "20230132"),
    ("DA", "00010101", "00000101"),
    ("DA", "20000229", "19000229"),
    ("TM", "235960", "235961"),
    ("TM", "2359", "2360"),
    ("TM", "23", "24"),
    ("TM", "101112.123456", "101112.1234567"),
    ("DT", "20231231235960.123456+1400", "20231231235961.123456+1400"),
    ("DT", "202312", "202313"),
    ("DT", "2023123123", "2023123124"),
    ("DT", "20230101101112+1400", "20230101101112+1401"),
    ("DT", "20230101101112-1200", "20230101101112-1201"),
    ("AS", "999Y", "1000Y"),
    ("AT", "0028FFff", "0028FFff0"),
    ("OB", "00ff", "00f"),
]
# VR, a value that has another form; none may pass for being near.
OTHER_FORMS = [
    *[(vr, "") for vr in ("US", "SS", "UL", "SL", "UV", "SV", "FL", "FD", "IS", "DS", "DA", "TM", "DT", "AS", "UI")],
    *[(vr, "1.0") for vr in ("US", "SS", "UL", "SL", "UV", "SV", "IS")],
    *[(vr, "\N{ARABIC-INDIC DIGIT ONE}") for vr in ("US", "IS", "DS", "FL", "FD")],
    *[(vr, text) for vr in ("DS", "FL", "FD") for text in ("inf", "nan", "0x1", "1_0", "1,5", "1e", ".")],
    ("DA", "\N{FULLWIDTH DIGIT TWO}0230101"),
    ("DA", "2023.01.02"),
    ("TM", "1"),
    ("TM", "101112."),
    ("TM", "1011.5"),
    ("DT", "202"),
    ("DT", "20231"),
    ("DT", "202301011"),
    ("DT", "2023-01-01"),
    ("AS", "045"),
    ("UI", "1..2"),
    ("UI", ".1.2"),
    ("UI", "1.2."),
    ("UI", "1.2\n"),
    ("UI", "1.\N{ARABIC-INDIC DIGIT TWO}"),
    ("AE", "tab\there"),
    ("UR", " http://x"),
    ("UR", "http://\N{LATIN SMALL LETTER E WITH ACUTE}"),
    ("OW", "0g"),
]
ONE_LINE, SEVERAL_LINES = ("LO", "SH", "PN", "UC"), ("LT", "ST", "UT")
FORBIDDEN = ["\0", "\x07", "\x1b", "\x7f", "\x80", "\x9f"]


@pytest.mark.parametrize(("vr", "fits", "beyond"), LIMITS)
def test_the_last_value_that_fits_passes_and_the_next_is_refused(vr, fits, beyond):
    assert RULES[vr].check(fits) == ""
    assert "PS3.5" in RULES[vr].check(beyond) or "hexadecimal" in RULES[vr].check(beyond)


@pytest.mark.parametrize(("vr", "text"), OTHER_FORMS)
def test_a_value_of_another_form_is_refused(vr, text):
    assert RULES[vr].check(text)


@pytest.mark.parametrize("vr", [*ONE_LINE, *SEVERAL_LINES])
@pytest.mark.parametrize("control", FORBIDDEN)
def test_no_text_holds_a_control_character_and_the_rule_shows_which(vr, control):
    assert repr(control) in RULES[vr].check(f"a{control}b")


@pytest.mark.parametrize("control", "\n\r\t\f")
def test_only_longer_texts_may_have_lines(control):
    text = f"a{control}b"
    assert [bool(RULES[vr].check(text)) for vr in (*ONE_LINE, *SEVERAL_LINES)] == [True] * 4 + [False] * 3


@pytest.mark.parametrize(
    ("vr", "text", "said"),
    [
        ("LO", "x" * 70, "LO has at most 64 characters, these are 70"),
        ("IS", "1" * 13, "IS has at most 12 characters, these are 13"),
        ("AE", "x" * 20, "AE has at most 16 characters, these are 20"),
        ("PN", "a^b^c^d^e^f^g", "at most 5 components divided by ^, these are 7"),
        ("US", "65536", "US lies between 0 and 65535"),
        ("SL", "x", "SL is a whole number"),
        ("FD", "x", "FD is a decimal number"),
        ("DT", "20230101250000", "no such time of day (PS3.5 6.2, DT)"),
        ("DT", "20230230", "no such day in the calendar (PS3.5 6.2, DT)"),
    ],
)
def test_a_rule_says_the_vr_and_what_was_found(vr, text, said):
    assert said in RULES[vr].check(text)


@pytest.mark.parametrize("offset", ["+0060", "+0199", "-0000"])
def test_an_offset_from_utc_that_no_clock_has_is_refused(offset):
    assert RULES["DT"].check(f"20230101101112{offset}")
