"""Columns as distinct values and codes: the same answers as cell by cell."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from bulkdcm.manifest.table import Column, Manifest, groups

CELLS = ["b", "a", "", "a", "B", "b"]


def column_of(cells: list[str]) -> Column:
    values = list(dict.fromkeys(cells))
    return Column(np.array([values.index(cell) for cell in cells], dtype=np.int32), values)


def cells_of(column: Column) -> list[str]:
    return [column[ordinal] for ordinal in range(len(column.codes))]


@pytest.mark.parametrize("function", [str.upper, str.lower, str, lambda _: "", lambda cell: cell + "!"])
def test_a_mapped_column_has_the_function_of_each_cell_and_each_value_once(function):
    mapped = column_of(CELLS).mapped(function)
    assert cells_of(mapped) == [function(cell) for cell in CELLS]
    assert len(mapped.values) == len(set(mapped.values))
    assert mapped.codes.dtype == np.int32


def test_a_column_of_no_rows_stays_one():
    mapped = column_of([]).mapped(str.upper)
    assert (len(mapped.codes), mapped.values) == (0, [])


def test_a_constant_column_has_its_value_in_every_row():
    assert cells_of(Column.constant("x", 3)) == ["x", "x", "x"]


@pytest.mark.parametrize(("codes", "rows"), [([0], [0, 5]), ([1, 2], [1, 2, 3]), ([], []), ([3, 0], [0, 4, 5])])
def test_rows_of_some_values_are_ascending(codes, rows):
    assert column_of(CELLS).ordinals(codes).tolist() == rows


def test_a_condition_is_asked_once_a_value_and_answered_for_each_row():
    asked = []
    found = column_of(CELLS).where(lambda cell: asked.append(cell) or cell == "a")
    assert found.tolist() == [False, True, False, True, False, False]
    assert asked == ["b", "a", "", "B"]


@pytest.mark.parametrize("seed", range(5))
def test_rows_are_of_one_group_exactly_where_all_their_cells_agree(seed):
    rng = random.Random(seed)
    rows = [tuple(rng.choice(["", "1", "2", "11"]) for _ in range(3)) for _ in range(60)]
    numbers = groups([column_of(list(cells)) for cells in zip(*rows, strict=True)]).tolist()
    assert set(numbers) == set(range(len(set(rows))))
    assert [[one == other for other in numbers] for one in numbers] == [
        [one == other for other in rows] for one in rows
    ]


def test_a_column_that_is_missing_reads_as_empty_cells():
    manifest = Manifest(Path("m.csv"), {"a": column_of(["1", "2"])}, np.array([2, 5], dtype=np.int32))
    assert cells_of(manifest.column("a")) == ["1", "2"]
    assert cells_of(manifest.column("b")) == ["", ""]
    assert manifest.lines_of([1, 0]) == (5, 2)
    assert manifest.lines_of([]) == ()


def test_followers_are_the_frames_after_the_first_of_each_object():
    lines = np.arange(2, 9, dtype=np.int32)
    manifest = Manifest(Path("m.csv"), {}, lines, {5: (5, 1, 3), 2: (2, 0)})
    assert manifest.followers.tolist() == [0, 1, 3]
