"""Where the time of a row goes, by stage: `python -m benchmarks.stages`. By function: `benchmarks.profiles`.

One process, in memory. Beside the stages stands what their floor takes: reading the bytes, hashing, decoding, pydicom's own
`dcmwrite`, writing the bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bulkdcm
from benchmarks import measure, throughput
from benchmarks.baselines import pydicom_loop
from bulkdcm.report.columns import STAGES

if TYPE_CHECKING:
    from collections.abc import Callable

_IMAGES = 400


def _ms_each(call: Callable[[Path], object], paths: list[Path]) -> float:
    spent = []
    for path in paths:
        began = time.perf_counter()
        call(path)
        spent.append(time.perf_counter() - began)
    return round(statistics.median(spent) * 1e3, 3)


def stages(name: str, count: int) -> dict[str, Any]:
    """Return milliseconds an image, medians, by stage and of their floors."""
    work = throughput.WORKLOADS[name]
    with tempfile.TemporaryDirectory(dir=throughput.MEMORY if throughput.MEMORY.is_dir() else None) as folder:
        root = Path(folder)
        sources = work.make(root / "in", count, throughput.real())
        manifest = throughput.write_manifest(sources, root)
        bulkdcm.convert(manifest, root / "warm", backend="sequential")
        report = bulkdcm.convert(manifest, root / "out", backend="sequential")
        target = root / "target"
        data = {path: path.read_bytes() for path in sources}
        outputs = {path: (root / "out" / report.table["output"][n]).read_bytes() for n, path in enumerate(sources)}
        floors = {
            "read": _ms_each(Path.read_bytes, sources),
            "sha256 of source": _ms_each(lambda path: hashlib.sha256(data[path]).digest(), sources),
            "sha256 of output": _ms_each(lambda path: hashlib.sha256(outputs[path]).digest(), sources),
            "write": _ms_each(lambda path: target.write_bytes(outputs[path]), sources),
        }
        if sources[0].suffix == ".png":
            floors["all of it by pydicom"] = _ms_each(lambda path: pydicom_loop(path, target), sources)
        spent = {stage.removesuffix("_s"): round(float(report.table[stage].median()) * 1e3, 3) for stage in STAGES}
        return {"images": count, "stages_ms": spent, "floors_ms": floors}


def main() -> None:
    """Measure and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=_IMAGES)
    parser.add_argument("--no-save", action="store_true", help="only print")
    asked = parser.parse_args()
    figures = {}
    for name in throughput.WORKLOADS:
        figures[name] = stages(name, asked.images)
        print(name, figures[name], "seconds", flush=True)
    if not asked.no_save:
        print(measure.save("stages", {"workloads": figures}))


if __name__ == "__main__":
    main()
