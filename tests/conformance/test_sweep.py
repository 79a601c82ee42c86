"""Every attribute of every class: what is accepted dciodvfy finds right, and what is refused is refused for a reason."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.conformance import readers, sweep, trials

EVERY = 41  # a prime, so that no class and no value is always passed over
ADVISED = 29


@pytest.mark.parametrize("every", [EVERY, pytest.param(1, marks=pytest.mark.long)])
def test_what_is_accepted_has_no_error_and_what_is_refused_has_a_reason(every, tmp_path, capsys):
    readers.need("dciodvfy")
    results = sweep.sweep(tmp_path, sweep.every_trial()[::every])
    with capsys.disabled():
        if every == 1:
            print("\n".join(["", *sweep.table(results)]))
    assert [f"{r.verdict}: {r.trial}: {r.message} {r.errors}" for r in results if r.verdict in sweep.WRONG] == []
    counts = Counter(result.verdict for result in results)
    assert counts["accepted"] > 2 * (len(results) - counts["accepted"]), "refusing everything is no way out"


@pytest.mark.parametrize("every", [ADVISED, pytest.param(1, marks=pytest.mark.long)])
def test_what_follows_the_remedy_is_accepted(every, tmp_path):
    readers.need("dciodvfy")
    results = sweep.sweep(tmp_path, sweep.remedied_trials()[::every])
    assert [f"{r.verdict}: {r.trial}: {r.message} {r.errors}" for r in results if r.verdict in sweep.WRONG] == []


def test_every_class_is_tried_with_hundreds_of_values():
    counts = Counter(trial.alias for trial in sweep.every_trial())
    assert set(counts) == set(trials.attributes())
    assert min(counts.values()) > 300
