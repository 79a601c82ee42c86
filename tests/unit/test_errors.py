"""Errors: one tree, and whole after a process boundary."""

from __future__ import annotations

import pickle

import pytest

from bulkdcm import errors
from bulkdcm.model import Problem


def tree(root: type) -> list[type]:
    return [root, *(found for child in root.__subclasses__() for found in tree(child))]


@pytest.mark.parametrize("kind", tree(errors.BulkdcmError))
def test_every_error_pickles_whole(kind):
    again = pickle.loads(pickle.dumps(kind("what happened. What to do.")))  # ours
    assert type(again) is kind
    assert str(again) == "what happened. What to do."


def test_a_manifest_error_keeps_its_problems():
    error = errors.ManifestError(
        "m.csv: 1 problem.", [Problem(rule="r", remedy="Do x", lines=(3,), column="c", value="v")]
    )
    again = pickle.loads(pickle.dumps(error))  # ours
    assert (str(again), again.problems) == (str(error), error.problems)
    assert str(again.problems[0]) == "line 3, column c: 'v': r. Do x"


def test_errors_that_end_a_run_have_codes_of_their_own():
    codes = [kind.exit_code for kind in errors.RunError.__subclasses__()]
    assert len(set(codes)) == len(codes)
    assert not set(codes) & {0, 1, 130, 143}


def test_errors_of_a_row_have_the_stage_they_are_of():
    stages = [kind.stage for kind in errors.RowError.__subclasses__()]
    assert sorted(stages) == ["build", "decode", "encode", "read", "store", "verify"]


@pytest.mark.parametrize(
    ("lines", "shown"), [((), ""), ((2,), "line 2"), ((2, 3), "lines 2, 3"), (tuple(range(2, 9)), "lines 2, 3, 4 and 4 more")]
)  # fmt: skip
def test_a_problem_shows_where_it_stands(lines, shown):
    assert Problem(rule="r", remedy="", lines=lines).where == shown
