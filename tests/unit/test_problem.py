"""Problems gathered: one message a cause, in linear time, nothing lost."""

from __future__ import annotations

import pickle

import pytest

from bulkdcm.model import Problem
from bulkdcm.problem import gathered


def problem(line: int, value: str = "", **more) -> Problem:
    return Problem(
        **{"rule": "not a date", "remedy": "Correct it", "column": "StudyDate", **more}, lines=(line,), value=value
    )


def test_values_of_one_rule_are_one_problem_with_some_of_them_and_all_lines_counted():
    (found,) = gathered([problem(line, f"v{line % 5}") for line in range(2, 5023)])
    assert found.text == (
        "lines 2, 3, 4 and 5,018 more, column StudyDate: 'v2' (1,005 times), 'v3' (1,004 times), 'v4' (1,004 times) "
        "and 2 more values: not a date. Correct it"
    )
    assert found.lines == tuple(range(2, 5023))
    assert len(found.parts) == 5021


@pytest.mark.parametrize(
    "other",
    [{"column": "StudyTime"}, {"rule": "no such day"}, {"severity": "warning"}, {"option": "--set StudyDate=x"}],
    ids=str,
)
def test_what_is_another_cause_stays_another_problem(other):
    assert len(gathered([problem(2, "x"), problem(3, "x", **other)])) == 2


def test_rules_that_name_a_cell_are_one_and_the_first_is_shown_whole():
    rules = [
        f"disagrees with {chr(39)}it is{n}{chr(39)} on line {n}, of the same study (PS3.3 A.1.2)" for n in range(2, 9)
    ]
    (found,) = gathered([problem(n + 10, f"w{n}", rule=rule) for n, rule in enumerate(rules)])
    assert found.text == (
        "lines 10, 11, 12 and 4 more, column StudyDate: 'w0': disagrees with 'it is2' on line 2, of the same study "
        "(PS3.3 A.1.2), and 6 more like it. Correct it"
    )


def test_remedies_that_differ_are_told_with_their_values():
    found = gathered([problem(2, "male", remedy="Did you mean M?"), problem(3, "female", remedy="Did you mean F?")])
    assert found[0].text.endswith("not a date. For 'male': Did you mean M?; for 'female': Did you mean F?")


def test_columns_with_one_fault_on_the_same_lines_are_one_problem():
    empty = [Problem(rule="empty", remedy="Fill it in", lines=(2, 3), column=name) for name in ("StudyID", "StudyDate")]
    other = Problem(rule="empty", remedy="Fill it in", lines=(3,), column="PatientID")
    both, alone = gathered([*empty, other])
    assert both.text == "lines 2, 3, columns StudyID, StudyDate: empty. Fill it in"
    assert alone == other


def test_what_is_gathered_can_be_gathered_again_with_others_and_pickled():
    once = gathered([problem(2, "a"), problem(4, "b")])
    again = gathered([*once, problem(3, "c")])
    assert again == gathered([problem(2, "a"), problem(3, "c"), problem(4, "b")])
    assert pickle.loads(pickle.dumps(again)) == again  # ours


def test_a_problem_shows_no_control_character_of_cells_and_headers():
    found = gathered([Problem(rule="r \x9b", remedy="\u202e", column="a\x1b[31m", value="\x07", lines=(1,))])
    assert found[0].text.isprintable()
    assert str(found[0]) == r"line 1, column a\x1b[31m: '\x07': r \x9b. \u202e"
