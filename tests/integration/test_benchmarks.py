"""Each benchmark runs, on a few images; its figures are not looked at here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import profiles

ROOT = Path(__file__).parents[2]


def long(*values):
    return pytest.param(*values, marks=pytest.mark.long)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("resume", ["--rows", "60", "--durability-rows", "8", "--repeats", "1"]),
        ("manifest_scale", ["--rows", "60"]),
        ("parent", ["--rows", "60"]),
        ("worker", ["--rows", "60", "--repeats", "1"]),
        long("throughput", ["--scale", "0", "--repeats", "1", "--place", "disk", "--data", "nowhere"]),
        ("stages", ["--images", "8"]),
        long("verify", ["--scale", "0", "--repeats", "1", "--data", "nowhere"]),
        long("archives", ["--images", "8", "--repeats", "1"]),
        ("page", ["--rows", "60"]),
        ("tables", ["--rows", "60", "--repeats", "1"]),
        long("cluster", ["--images", "8", "--repeats", "1"]),
    ],
)
def test_a_benchmark_runs_on_a_few_images(name, arguments):
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}", *arguments, "--no-save"],
        cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert any(word in done.stdout for word in ("wall_s", "cpu_s", "seconds"))


RAW = """\
process 7:"python -m bulkdcm convert m.csv";main (bulkdcm/cli/__init__.py:9);convert (bulkdcm/conversion/api.py:3) 3
process 7:"python -m bulkdcm convert m.csv";main (bulkdcm/cli/__init__.py:9);convert (bulkdcm/conversion/api.py:5) 1
process 7:"python -m bulkdcm convert m.csv";process 8:"python -m joblib.externals.loky.backend.popen_loky_posix";f (a.py:1) 4
process 7:"python -m bulkdcm convert m.csv";process 9:"python -c from joblib resource_tracker";g (b.py:1) 9
"""


def test_a_profile_tells_the_processes_of_a_run_apart():
    found = profiles.samples_of(RAW)
    own, workers = found["the run's own process"], found["workers"]
    assert own.own == {"convert (bulkdcm/conversion/api.py)": 4}
    assert own.below["main (bulkdcm/cli/__init__.py)"] == 4
    assert workers.own == {"f (a.py)": 4}
    assert "workers: 50% of 8 samples" in profiles.text_of(found)


def test_the_table_of_all_figures_is_made_of_the_saved_ones():
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--table"],
        cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "time over that of floor" in done.stdout
    assert "check and plan of 1,000,000 new rows" in done.stdout
