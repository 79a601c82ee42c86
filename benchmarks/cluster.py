"""What dask costs over loky, with the same two workers on this machine: `python -m benchmarks.cluster`."""

from __future__ import annotations

import argparse
import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import measure, throughput

if TYPE_CHECKING:
    from collections.abc import Iterator

_IMAGES, _REPEATS, _ENDS_S = 1500, 3, 20


@contextlib.contextmanager
def cluster(folder: Path) -> Iterator[str]:
    """Start a scheduler and two workers of one thread; yield the scheduler's address."""
    file = folder / "scheduler.json"
    dask = [sys.executable, "-m", "dask"]
    words = [
        ["scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", file],
        ["worker", "--scheduler-file", file, "--nthreads", 1, "--nworkers", 2, "--local-directory", folder],
    ]
    started = [
        subprocess.Popen(
            [*dask, *map(str, some), "--no-dashboard"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for some in words
    ]
    try:
        while not file.exists() or not file.read_text(encoding="utf-8").endswith("}"):
            if any(process.poll() is not None for process in started):
                msg = "dask hasn't started: pip install 'bulkdcm[dask]'"
                raise RuntimeError(msg)
            time.sleep(0.1)
        yield json.loads(file.read_text(encoding="utf-8"))["address"]
    finally:
        for process in started:
            process.terminate()
        for process in started:
            try:
                process.wait(_ENDS_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def main() -> None:
    """Measure and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=_IMAGES)
    parser.add_argument("--repeats", type=int, default=_REPEATS)
    parser.add_argument("--no-save", action="store_true", help="only print")
    asked = parser.parse_args()
    spent: dict[str, list[float]] = {"loky": [], "dask": []}
    with tempfile.TemporaryDirectory() as folder, cluster(Path(folder)) as address:
        root = Path(folder)
        manifest = throughput.write_manifest(throughput.x_rays(root / "in", asked.images, throughput.real()), root)
        backends = {"loky": ("--n-jobs", 2), "dask": ("--backend", "dask", "--scheduler", address)}
        measure.bulkdcm("convert", manifest, "--out", root / "warm", *backends["dask"])  # the workers' imports
        for repeat in range(asked.repeats):
            for name, options in backends.items():
                done = measure.bulkdcm("convert", manifest, "--out", root / f"{name}-{repeat}", *options)
                spent[name].append(done.wall_s)
    medians = {name: statistics.median(found) for name, found in spent.items()}
    figures = {"images": asked.images, "seconds": medians, "all_seconds": spent}
    figures["dask_over_loky"] = round(medians["dask"] / medians["loky"], 3)
    print(figures)
    if not asked.no_save:
        print(measure.save("cluster", figures))


if __name__ == "__main__":
    main()
