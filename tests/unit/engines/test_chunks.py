"""Chunks: every item once and in order, a fair share of work in each, small ones at the end."""

from __future__ import annotations

import os
import random

import pytest

from bulkdcm.engines import ENGINES, PROCESSES, Workers, base, cut
from bulkdcm.engines.base import _CHUNK_S, _LARGEST_CHUNK


def sizes(seconds: list[float], *, workers=2, asked=0) -> list[int]:
    items = list(enumerate(seconds))
    chunks = list(cut(iter(items), len(items), workers, asked, lambda item: item[1]))
    assert [item for chunk in chunks for item in chunk] == items
    return [len(chunk) for chunk in chunks]


@pytest.mark.parametrize("seed", range(20))
def test_every_item_comes_once_in_order_and_no_chunk_is_much_longer_than_asked(seed):
    rng = random.Random(seed)
    seconds = [rng.expovariate(20) for _ in range(rng.randrange(400))]
    spent, given = list(seconds), 0
    for size in sizes(seconds, workers=rng.randrange(1, 9)):
        assert sum(spent[given : given + size - 1]) < _CHUNK_S
        given += size


def test_quick_items_share_a_chunk_and_slow_ones_have_their_own():
    assert sizes([0.0] * 10_000)[:3] == [_LARGEST_CHUNK] * 3
    assert set(sizes([1.0] * 50)) == {1}


def test_chunks_shrink_towards_the_end_so_that_workers_end_together():
    found = sizes([0.001] * 400, workers=4)
    assert found == sorted(found, reverse=True)
    assert found[-8:] == [1] * 8


def test_a_size_that_is_asked_for_is_kept():
    assert sizes([9.0] * 10, asked=4) == [4, 4, 2]


def threads_allowed(_: int) -> list[str]:
    return [os.environ.get(name, "") for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")]


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_libraries_have_one_thread_in_a_worker(n_jobs):
    found = list(PROCESSES.run(threads_allowed, iter(range(3)), Workers(count=n_jobs)))
    assert found == [["1", "1", "1"]] * 3


def test_no_items_are_no_chunks():
    assert sizes([]) == []


@pytest.mark.parametrize(("asked", "count"), [(0, 8), (-1, 8), (-2, 7), (-8, 1), (-100, 1), (3, 3), (20, 20)])
def test_workers_are_counted_as_joblib_counts(asked, count, monkeypatch):
    monkeypatch.setattr(base, "cores", lambda: 8)
    assert ENGINES["threading"].workers(asked, "") == count
