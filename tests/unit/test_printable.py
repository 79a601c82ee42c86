"""What may be shown on a terminal."""

from __future__ import annotations

import unicodedata

import pytest

from bulkdcm.printable import printable, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31m", r"\x1b[31m"),
        ("\x9b31m", r"\x9b31m"),
        ("a\rb\nc\td\x07", r"a\rb\nc\td\x07"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("\u2066x\u2069", r"\u2066x\u2069"),
        ("\u2028", r"\u2028"),
        ("\ufeffx\u200b", r"\ufeffx\u200b"),
        ("\udcfc\ud800", r"\xfc\ud800"),
        ("\U000e0041", r"\U000e0041"),
        ("Müller 山田 \u0645\u06cc\u200c\u062e\u0648 a\u00a0b", "Müller 山田 \u0645\u06cc\u200c\u062e\u0648 a\u00a0b"),
    ],
)
def test_what_acts_on_a_terminal_is_shown(text, shown):
    assert visible(text) == shown


def test_no_control_and_nothing_that_turns_text_gets_through():
    turning = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    for code in range(0x110000):
        character = chr(code)
        if (
            unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"}
            or unicodedata.bidirectional(character) in turning
        ):
            assert visible(character) != character, hex(code)


def test_what_a_file_can_hold_stays_as_it_is():
    assert printable("a\x1b\u202e") == "a\x1b\u202e"
