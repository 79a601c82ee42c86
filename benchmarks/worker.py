"""What a row costs a worker beside the floor: `python -m benchmarks.worker`.

CPU time of one process over small images in memory: what a worker does with them, and what nobody can do without
(`bulkdcm.bench.floor`), in turn and several times over.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import bulkdcm
from benchmarks import measure, throughput
from bulkdcm.bench import floor
from bulkdcm.conversion import chunk

if TYPE_CHECKING:
    from collections.abc import Callable

_ROWS, _REPEATS = 5_000, 5
_WARM_UP = 200


def _us_a_row(call: Callable[[], object], rows: int) -> float:
    began = time.process_time()
    call()
    return (time.process_time() - began) / rows * 1e6


def _chunks_us_a_row(manifest: Path, out: Path, rows: int) -> float:
    spent_s = 0.0
    convert_chunk = chunk.convert_chunk

    def timed(*arguments: Any, **options: Any) -> Any:
        nonlocal spent_s
        began = time.process_time()
        try:
            return convert_chunk(*arguments, **options)
        finally:
            spent_s += time.process_time() - began

    with mock.patch.object(chunk, "convert_chunk", timed):
        bulkdcm.convert(manifest, out, backend="sequential", rows=f"0:{rows}", fsync=False)
    return spent_s / rows * 1e6


def worker(rows: int, repeats: int) -> dict[str, float]:
    """Return microseconds of CPU time a row, medians."""
    with tempfile.TemporaryDirectory(dir=throughput.MEMORY if throughput.MEMORY.is_dir() else None) as folder:
        root = Path(folder)
        sources = throughput.tiny(root / "in", rows, None)
        manifest = throughput.write_manifest(sources, root)
        _chunks_us_a_row(manifest, root / "warm", min(rows, _WARM_UP))
        ours, floors = [], []
        for repeat in range(repeats):
            ours.append(_chunks_us_a_row(manifest, root / f"ours-{repeat}", rows))
            target = root / f"floor-{repeat}"
            for number in range(-(-rows // 1000)):
                (target / str(number)).mkdir(parents=True)
            names = [str(source) for source in sources]
            floors.append(_us_a_row(partial(floor.work, names, str(target), 0, 1), rows))
    mine, least = statistics.median(ours), statistics.median(floors)
    return {
        "rows": rows,
        "worker_us_a_row": round(mine, 1),
        "floor_us_a_row": round(least, 1),
        "beside_the_floor_us_a_row": round(mine - least, 1),
    }


def main() -> None:
    """Measure and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=_ROWS)
    parser.add_argument("--repeats", type=int, default=_REPEATS)
    parser.add_argument("--no-save", action="store_true", help="only print")
    asked = parser.parse_args()
    figures = {"cpu_seconds": worker(asked.rows, asked.repeats)}
    print(figures)
    if not asked.no_save:
        print(measure.save("worker", figures))


if __name__ == "__main__":
    main()
