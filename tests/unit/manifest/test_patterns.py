"""Regular expressions of mappings: those whose cost is known are taken, the others say why not."""

from __future__ import annotations

import time

import pytest

from bulkdcm.manifest.patterns import Pattern

TAKEN = [
    (r"/(patient\d+)/", "train/patient00001/study1/v.jpg", "patient00001"),
    (r"^(.*?)[a-z]?$", "COVID-00003a", "COVID-00003"),
    (r"(?i)(left|right)_eye", "LEFT_EYE", "LEFT"),
    (r"_(\d+)(?:_x)?\.png$", "a_12_x.png", "12"),
    (r"(?P<id>[^_/]+)_\d{2,}", "p/ab_123", "ab"),
    (r"\[(\w+)\]", "a[b]", "b"),
    (r"^(?:[A-Z]{2}){2}(\d+)", "ABCD12", "12"),
    (r"(x)?y", "y", ""),
]
REFUSED = [
    (r"(a+)+b", "within a repetition"),
    (r"(?:a|aa)+(b)", "within a repetition"),
    (r"((?:a*)*)", "within a repetition"),
    (r"(?:\d+-)*(x)", "within a repetition"),
    (r"(?:a?){30}(b)", "within a repetition"),
    (r"(a?a?a?a?a?a?a?a?a?a?a?)b", "too many ways"),
    (2 * f"(?:{'|'.join('ab' * 20)})" + "(x)", "too many ways"),
    (r"(\w)\1", "isn't taken"),
    (r"(?=a)(b)", "look-around"),
    (r"(?<!a)(b)", "look-around"),
    (r"(?(1)a|b)(c)", ""),
    (r"(a++)b", "possessive"),
    (r"(?x)(a) # c", "flag x"),
    (r"(x", "missing )"),
    (r"ab", "0 groups"),
    (r"(a)(b)", "2 groups"),
    ("(a)" + "b" * 3000, "characters"),
    ("(" * 30 + "a" + ")" * 30, "30 groups"),
    ("(?:" * 30 + "(a)" + ")" * 30, "nested too deeply"),
    ("([[a]*)b", "possible nested set at position 2: put a backslash"),
    ("([a&&b])", "possible set intersection"),
]


@pytest.mark.parametrize(("text", "cell", "found"), TAKEN)
def test_a_pattern_finds_its_group(text, cell, found):
    assert Pattern(text).group_of(cell) == found


def test_a_pattern_that_finds_nothing_says_so():
    assert Pattern(r"(\d)").group_of("x") is None


@pytest.mark.parametrize(("text", "words"), REFUSED)
def test_a_pattern_of_unknown_cost_is_refused(text, words):
    with pytest.raises(ValueError, match=r"\w") as caught:
        Pattern(text)
    assert words in str(caught.value)


# Each of them takes Python for ever, or minutes, on a cell of a few thousand characters.
SLOW = [
    (r"(.*).*=", "a"),
    (r".*.*.*(=)", "a"),
    (r"^(.*)(?:.*)(?:.*)=$", "a"),
    (r"\s*(\w+)\s*\w*-", "a"),
    (r"(a*a*a*a*)b", "a"),
    (r"(a{0,500}a{0,500})b", "a"),
    (r"([\u0370-\u03ff]*)\w*\d", "\u03b1"),
    (r"([\u2000-\uffff]*)\w*\d", "\u4e2d"),
    (r"(?m)^(\s*)z", "\n"),
    (r"(?m)^(\s*)\s*z", "\n"),
]


@pytest.mark.parametrize(("text", "sign"), SLOW)
def test_the_longest_cell_that_is_asked_takes_bounded_work(text, sign):
    pattern = Pattern(text)
    with pytest.raises(ValueError, match="longer than"):
        pattern.group_of(sign * (pattern.most_chars + 1))
    begun = time.process_time()
    pattern.group_of(sign * pattern.most_chars)
    assert time.process_time() - begun < 60  # a bound on hanging; it takes a second at most


def test_repetitions_that_share_no_characters_with_what_follows_bound_nothing():
    assert Pattern(r"^(\d+)-(?:[a-z]+)-\d+$").most_chars > 100_000
    assert Pattern(r"^(.*)/.*$").most_chars <= 10_000
    assert Pattern(r"(?m)^(\s*)z").most_chars <= 10_000  # at the beginning of each line
    assert Pattern(r"(?m)\A(\s*)z").most_chars > 100_000
