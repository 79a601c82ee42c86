"""bulkdcm beside everybody else, on the same files in the same run: `python -m benchmarks.throughput`.

Each workload is run with every tool in turn, several times over; the figures are medians, the ratios within one run.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks import baselines, measure

DATA = Path(__file__).parents[2] / "shared" / "data"
_X_RAYS, _JPEGS, _TINY = 300, 20_000, 20_000
_REPEATS = 3
_HEADER = "source,PatientID,PatientName,PatientSex,StudyDate,StudyTime,StudyID,SeriesNumber,InstanceNumber,Modality\n"
_MOST_FILES = 600  # of tools that start a process a file; their time is scaled


def x_rays(folder: Path, count: int) -> list[Path]:
    """Return real 8-bit gray PNGs of about a megapixel, repeated in folders."""
    return _repeated(sorted((DATA / "xray_png" / "images").glob("*.png")), folder, count)


def jpegs(folder: Path, count: int) -> list[Path]:
    """Return real baseline JPEGs, repeated in folders."""
    return _repeated(sorted((DATA / "figure1" / "images").glob("*.jpg")), folder, count)


def _repeated(originals: list[Path], folder: Path, count: int) -> list[Path]:
    made = []
    for number in range(count):
        original = originals[number % len(originals)]
        path = folder / f"{number // 1000:03d}" / f"{number % 1000:03d}{original.suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        if number < len(originals):
            shutil.copy(original, path)
        else:
            path.hardlink_to(made[number % len(originals)])
        made.append(path)
    return made


def tiny(folder: Path, count: int) -> list[Path]:
    """Return 28 x 28 PNGs of noise, each another."""
    rng = np.random.default_rng(1)
    made = []
    for number in range(count):
        path = folder / f"{number // 1000:03d}" / f"{number % 1000:03d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (28, 28), dtype=np.uint8)).save(path, compress_level=1)
        made.append(path)
    return made


# Workload: how its images are made, how many, and what it is measured against.
WORKLOADS = {
    "x-ray PNG, 1 MP": (x_rays, _X_RAYS, ("floor", "popular script", "highdicom", "SimpleITK")),
    "real JPEG, passed through": (jpegs, _JPEGS, ("cp", "img2dcm", "gdcmimg")),
    "28 x 28 PNG": (tiny, _TINY, ("popular script",)),
}


def ours(sources: list[Path], root: Path, out: Path, workers: int) -> measure.Measured:
    """Convert with bulkdcm."""
    manifest = root / "m.csv"
    if not manifest.exists():
        rows = [
            f"{path.relative_to(root)},P{n // 10},A^B,F,20230102,101112,1,1,{n % 10 + 1},OT\n"
            for n, path in enumerate(sources)
        ]
        manifest.write_text(_HEADER + "".join(rows), encoding="utf-8")
    return measure.bulkdcm("convert", manifest, "--out", out, "--n-jobs", workers)


def workload(name: str, scale: float, repeats: int) -> dict[str, object]:
    """Return the figures of one workload: seconds, images a second, and our time over each other's."""
    make, count, others = WORKLOADS[name]
    count = max(8, int(count * scale))
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        sources = make(root / "in", count)
        tools = [tool for tool in others if baselines.available(tool)]
        spent: dict[str, list[float]] = {}
        peak_mb = 0.0
        for repeat in range(repeats):
            for workers in (2, 1):
                done = ours(sources, root, root / "out", workers)
                shutil.rmtree(root / "out")
                spent.setdefault(f"bulkdcm, {workers} workers", []).append(done.wall_s)
                peak_mb = max(peak_mb, done.peak_mb)
            for tool in tools:
                some = sources[:_MOST_FILES] if tool in {"img2dcm", "gdcmimg"} else sources
                (root / "list").write_text("\n".join(map(str, some)))
                done = measure.run(sys.executable, "-m", "benchmarks.baselines", tool, root / "list", root / "other")
                shutil.rmtree(root / "other", ignore_errors=True)
                if done.returncode == 0:
                    spent.setdefault(tool, []).append(done.wall_s * len(sources) / len(some))
                elif repeat == 0:
                    print(f"{tool} left out: {done.output[-200:]}", flush=True)
    medians = {tool: round(statistics.median(found), 3) for tool, found in spent.items()}
    mine = medians["bulkdcm, 2 workers"]
    return {
        "images": count,
        "peak_mb_of_the_largest_process": peak_mb,
        "seconds": medians,
        "images_per_s": {tool: round(count / s, 1) for tool, s in medians.items()},
        "their_time_over_ours": {tool: round(s / mine, 2) for tool, s in medians.items()},
        "all_seconds": spent,
        "left_out": [tool for tool in others if tool not in spent],
    }


def main() -> None:
    """Measure and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="of the number of images")
    parser.add_argument("--repeats", type=int, default=_REPEATS)
    parser.add_argument("--no-save", action="store_true", help="only print")
    asked = parser.parse_args()
    figures = {}
    for name in WORKLOADS:
        figures[name] = workload(name, asked.scale, asked.repeats)
        print(name, figures[name], flush=True)
    if not asked.no_save:
        print(measure.save("throughput", {"workloads": figures}))


if __name__ == "__main__":
    main()
