"""UIDs of any keys: valid, distinct, and unmoved by everything that isn't a key."""

from __future__ import annotations

import csv
import random

import hypothesis.strategies as st
from hypothesis import HealthCheck, given, settings

from bulkdcm import manifest, uids
from bulkdcm.attributes.vr import RULES
from bulkdcm.objects import offer
from bulkdcm.settings import Settings

QUICK = settings(
    derandomize=True,
    deadline=None,
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@QUICK
@given(TEXTS, st.lists(TEXTS, max_size=6), st.binary(max_size=20))
def test_any_keys_give_a_valid_uid(level, fields, key):
    assert RULES["UI"].check(uids.derive(level, fields, key)) == ""


@QUICK
@given(st.lists(st.text("ab\0^=", max_size=3), max_size=4), st.lists(st.text("ab\0^=", max_size=3), max_size=4))
def test_distinct_keys_give_distinct_uids(first, second):
    assert (uids.derive("x", first) == uids.derive("x", second)) == (first == second)


KEYS = st.fixed_dictionaries(
    {name: st.sampled_from(["", "1", "2"]) for name in ("PatientID", "StudyID", "SeriesNumber", "study", "series")}
)


@QUICK
@given(st.lists(KEYS, min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_order_and_splitting_of_the_manifest_move_no_uid(tmp_path_factory, keys, shuffler):
    folder = tmp_path_factory.mktemp("m")
    rows = [{**row, "source": f"{number}.png"} for number, row in enumerate(keys)]
    shuffled = rows.copy()
    shuffler.shuffle(shuffled)
    whole = assigned(folder, rows)
    assert assigned(folder, shuffled) == whole
    half = random.Random(1).randint(0, len(rows))
    assert assigned(folder, rows[:half]) | assigned(folder, rows[half:]) == whole


def assigned(folder, rows) -> dict[str, tuple[str, str, str]]:
    if not rows:
        return {}
    path = folder / "m.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    table = manifest.resolve(manifest.read(path, Settings()), Settings(), offer())
    found = {}
    for row in manifest.part(table, range(len(table))).rows():
        instance = uids.assign(row, "0" * 64, "")
        found[row.source] = (instance.study_instance_uid, instance.series_instance_uid, instance.sop_instance_uid)
    return found
