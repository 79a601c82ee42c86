"""What a run was bound by, from what it used."""

from __future__ import annotations

import pytest

from bulkdcm.bench.bound import Used, bound_by

TYPICAL = {
    "elapsed_s": 10.0,
    "first_s": 1.0,
    "parent_cpu_s": 1.0,
    "workers_cpu_s": 8.0,
    "workers": 2,
    "cores": 4,
    "stage_shares": {"read": 0.2, "decode": 0.5, "store": 0.3},
}


@pytest.mark.parametrize(
    ("changes", "bound"),
    [
        ({"workers_cpu_s": 38.0, "workers": 4}, "cores"),
        ({"workers_cpu_s": 17.0}, "workers"),
        ({"workers_cpu_s": 17.0, "cores": 2}, "cores"),
        ({"parent_cpu_s": 9.0}, "run"),
        ({"first_s": 6.0}, "start"),
        ({}, "writing"),
        ({"stage_shares": {"read": 0.6, "store": 0.3}}, "reading"),
        ({"workers": 0}, ""),
        ({"elapsed_s": 0.0}, ""),
    ],
    ids=str,
)
def test_what_more_of_would_help(changes, bound):
    assert bound_by(Used(**{**TYPICAL, **changes})) == bound
