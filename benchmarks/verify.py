"""How many images a second `verify` proves against their sources, beside the conversion, and what `convert --verify` costs.

`python -m benchmarks.verify` writes results/verify.json. Each figure is the median of alternating runs with two workers.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import tempfile
from pathlib import Path

from benchmarks import measure
from benchmarks.throughput import DATA, WORKLOADS, real, write_manifest

_REPEATS = 3
_COUNTS = {"PNG, 28 x 28": 6_000, "X-ray PNG, 1 MP": 300, "JPEG, passed through": 1_200}
_WORKERS = ("--n-jobs", "2")


def workload(name: str, scale: float, repeats: int, data: Path | None) -> dict[str, object]:
    """Return the figures of one workload: images a second, each command's time over the conversion's, and memory."""
    count = max(8, int(_COUNTS[name] * scale))
    spent: dict[str, list[float]] = {}
    used: dict[str, list[float]] = {}
    peak_mb = 0.0
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        manifest = write_manifest(WORKLOADS[name].make(root / "in", count, data), root)
        commands = {
            "convert": ("convert", manifest, "--out", root / "out"),
            "verify": ("verify", root / "out"),
            "verify --no-sources": ("verify", root / "out", "--no-sources"),
            "convert --verify": ("convert", manifest, "--out", root / "verified", "--verify"),
        }
        for _ in range(repeats):
            for command, words in commands.items():
                if command.startswith("convert"):
                    shutil.rmtree(words[3], ignore_errors=True)
                os.sync()
                done = measure.bulkdcm(*words, *_WORKERS)
                spent.setdefault(command, []).append(done.wall_s)
                used.setdefault(command, []).append(done.cpu_s)
                if command == "verify":
                    peak_mb = max(peak_mb, done.peak_mb)
                    if f"{count:,} files, {count:,} proved; 0 findings" not in done.output:
                        raise RuntimeError(done.output)
    medians = {command: round(statistics.median(found), 3) for command, found in spent.items()}
    return {
        "images": count,
        "seconds": medians,
        "images_per_s": {command: round(count / s, 1) for command, s in medians.items()},
        "time_over_convert": {command: round(s / medians["convert"], 2) for command, s in medians.items()},
        "cpu_ms_an_image": {
            command: round(1000 * statistics.median(found) / count, 2) for command, found in used.items()
        },
        "peak_mb_of_the_largest_process_of_verify": peak_mb,
        "all_seconds": spent,
    }


def main() -> None:
    """Measure and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="of the number of images")
    parser.add_argument("--repeats", type=int, default=_REPEATS)
    parser.add_argument("--no-save", action="store_true", help="only print")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of real images, as the project's CI has it")
    asked = parser.parse_args()
    data = real(asked.data)
    figures = {name: workload(name, asked.scale, asked.repeats, data) for name in _COUNTS}
    for name, found in figures.items():
        print(name, found, flush=True)
    if not asked.no_save:
        print(measure.save("verify", {"real_images": data is not None, "workloads": figures}))


if __name__ == "__main__":
    main()
