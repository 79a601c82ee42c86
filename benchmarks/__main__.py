"""Every benchmark, one after the other, and what came of them in one table: `python -m benchmarks`.

It takes an hour on two cores, on which nothing else should run.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from benchmarks.measure import RESULTS

_NAMES = (
    "throughput",
    "parent",
    "worker",
    "resume",
    "manifest_scale",
    "stages",
    "tables",
    "page",
    "archives",
    "verify",
    "profiles",
)
_MINE, _ALONE, _FLOOR = "bulkdcm, 2 workers", "bulkdcm, 1 worker", "floor"


def _of(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    return found


def table() -> list[str]:
    """Return the saved figures as Markdown: each against what it is measured by."""
    lines = ["| what | figure |", "| --- | --- |"]
    for place, workloads in _of("throughput")["places"].items():
        for name, figures in workloads.items():
            seconds, what = figures["seconds"], f"{figures['images']:,} {name}, {place}"
            for other, spent_s in seconds.items():
                if other in {_FLOOR, "SimpleITK"} or other.startswith("imports"):
                    lines.append(f"| {what}: time over that of {other} | {seconds[_MINE] / spent_s:.2f} |")
            lines.append(f"| {what}: time of 1 worker over that of 2 | {seconds[_ALONE] / seconds[_MINE]:.2f} |")
    parent, worker, resume = _of("parent")["cpu_seconds"], _of("worker")["cpu_seconds"], _of("resume")
    lines.append(f"| the run's own process, a row | {parent['us_a_row']} µs, {parent['rows_a_second']:,} rows/s |")
    lines.append(f"| a worker beside the floor, a row of 28 x 28 | {worker['beside_the_floor_us_a_row']} µs |")
    lines += [
        f"| {what} of {resume['rows']:,} rows that are done | {resume[what]['wall_s']} s, {resume[what]['peak_mb']:.0f} MB |"
        for what in ("dry_run", "convert")
    ]
    for name, figures in _of("verify")["workloads"].items():
        rates = figures["images_per_s"]
        told = ", ".join(f"{command} {rate:,.0f}" for command, rate in rates.items())
        lines.append(f"| {figures['images']:,} {name}, images a second | {told} |")
    lines += [
        f"| check and plan of {size['rows']:,} new rows | {size['plan']['wall_s']} s, {size['plan']['peak_mb']:.0f} MB |"
        for size in _of("manifest_scale")["sizes"]
    ]
    return lines


def main() -> None:
    """Run them, unless only the table is wanted, and print it."""
    for name in () if "--table" in sys.argv else _NAMES:
        subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=True)
    print("\n".join(table()))


if __name__ == "__main__":
    main()
