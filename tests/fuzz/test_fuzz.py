"""Mutants of every format: none is a surprise, and what we accept at least one other decoder accepts, too."""

from __future__ import annotations

import pytest

from tests.fuzz.attempts import MOST_KB, MOST_S, attempts, counted
from tests.fuzz.seeds import FORMATS

MUTANTS = [120, pytest.param(20_000, marks=pytest.mark.long)]


@pytest.mark.parametrize("mutants", MUTANTS)
@pytest.mark.parametrize("kind", FORMATS)
def test_a_mutant_is_read_rightly_or_refused(kind, mutants, capsys):
    made = list(attempts(kind, range(mutants), 1, "decode"))
    assert len(made) == mutants
    if mutants > 1000:
        with capsys.disabled():
            print(f"\n  {kind}: {dict(sorted(counted(made).items()))}")
    wrong = [one for one in made if one.outcome in {"unexpected", "died", "hung"} or one.both_refuse]
    wrong += [one for one in made if one.seconds > MOST_S or one.grown_kb > MOST_KB]
    assert wrong == []
