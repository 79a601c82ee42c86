"""Each benchmark runs, on a few images; its figures are not looked at here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("resume", ["--rows", "60", "--durability-rows", "8", "--repeats", "1"]),
        ("manifest_scale", ["--rows", "60"]),
        ("parent", ["--rows", "60"]),
        ("throughput", ["--scale", "0", "--repeats", "1", "--place", "disk", "--data", "nowhere"]),
        ("stages", ["--images", "8"]),
        ("cluster", ["--images", "8", "--repeats", "1"]),
    ],
)
def test_a_benchmark_runs_on_a_few_images(name, arguments):
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}", *arguments, "--no-save"],
        cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "wall_s" in done.stdout or "seconds" in done.stdout
