"""bulkdcm beside everybody else, on the same files in the same run: `python -m benchmarks.throughput`.

Each workload is run with every tool in turn, several times over, on a disk and in memory; the figures are medians, the
ratios within one run. Nothing is deleted before a workload ends: for minutes ext4 looks at each inode that was freed and
passes it over, and a run after a deletion takes up to three times as long.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from benchmarks import baselines, measure
from bulkdcm.bench import floor

if TYPE_CHECKING:
    from collections.abc import Callable

DATA = Path(__file__).parents[2] / "shared" / "data"
_REPEATS = 3
_ORIGINALS = 12  # that are made where there are no real ones
FLOOR, IMPORTS = "floor", "imports of numpy, pydicom and pandas"
_HEADER = "source,PatientID,PatientName,PatientSex,StudyDate,StudyTime,StudyID,SeriesNumber,InstanceNumber,Modality\n"
_MOST_FILES = 600  # of tools that start a process a file; their time is scaled
MEMORY = Path("/dev/shm")  # noqa: S108  # a place to measure without a disk
OURS = {
    "bulkdcm, 2 workers": ("--n-jobs", 2),
    "bulkdcm, 1 worker": ("--n-jobs", 1),
    "bulkdcm, 2 workers, --no-fsync": ("--n-jobs", 2, "--no-fsync"),
}


def real(folder: Path = DATA) -> Path | None:
    """Return the folder of real images, if it is there."""
    return folder if folder.is_dir() else None


def x_rays(folder: Path, count: int, data: Path | None) -> list[Path]:
    """Return 8-bit gray PNGs of about a megapixel, repeated in folders."""
    originals = sorted((data / "xray_png" / "images").glob("*.png")) if data else _made(folder, ".png", (1024, 1024))
    return _repeated(originals, folder, count)


def jpegs(folder: Path, count: int, data: Path | None) -> list[Path]:
    """Return baseline JPEGs, repeated in folders."""
    originals = sorted((data / "figure1" / "images").glob("*.jpg")) if data else _made(folder, ".jpg", (768, 1024, 3))
    return _repeated(originals, folder, count)


def _made(folder: Path, ending: str, shape: tuple[int, ...]) -> list[Path]:
    """Return images with the detail and the noise of radiographs or photographs, and about their size as files."""
    rng = np.random.default_rng(2)
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    made = []
    for number in range(_ORIGINALS):
        shades = 110 + 70 * np.sin(rows / (60 + 9 * number)) * np.cos(columns / 80) + rng.normal(0, 4, shape[:2])
        pixels = np.clip(shades, 0, 255).astype(np.uint8)
        if len(shape) == 3:
            pixels = np.stack([pixels, np.roll(pixels, 40, 0), np.roll(pixels, 90, 1)], axis=-1)
        path = folder.parent / "originals" / f"{number}{ending}"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path, quality=85)
        made.append(path)
    return made


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


def tiny(folder: Path, count: int, data: Path | None) -> list[Path]:
    """Return 28 x 28 PNGs of noise, each another."""
    del data
    rng = np.random.default_rng(1)
    made = []
    for number in range(count):
        path = folder / f"{number // 1000:03d}" / f"{number % 1000:03d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (28, 28), dtype=np.uint8)).save(path, compress_level=1)
        made.append(path)
    return made


@dataclass(frozen=True, kw_only=True)
class Workload:
    """Images, and what they are measured against."""

    make: Callable[[Path, int, Path | None], list[Path]]
    count: int
    others: tuple[str, ...]


WORKLOADS = {
    "PNG, 28 x 28": Workload(make=tiny, count=20_000, others=(FLOOR, "pydicom loop", "popular script")),
    "X-ray PNG, 1 MP": Workload(make=x_rays, count=1_500, others=(FLOOR, "popular script", "highdicom", "SimpleITK")),
    "JPEG, passed through": Workload(
        make=jpegs, count=20_000, others=(FLOOR, "cp", "cp, then sync", "img2dcm", "gdcmimg")
    ),
}
# How much of a short run is its start.
SHORT_WORKLOADS = {
    "few PNG, 28 x 28": Workload(make=tiny, count=10, others=(FLOOR, IMPORTS)),
    "few X-ray PNG, 1 MP": Workload(make=x_rays, count=480, others=(FLOOR, "SimpleITK")),
    "few JPEG, passed through": Workload(make=jpegs, count=8_000, others=(FLOOR,)),
}


def write_manifest(sources: list[Path], root: Path) -> Path:
    """Write the manifest of `sources`, ten images a patient; return its path."""
    manifest = root / "m.csv"
    rows = [
        f"{path.relative_to(root)},P{n // 10},A^B,F,20230102,101112,1,1,{n % 10 + 1},OT\n"
        for n, path in enumerate(sources)
    ]
    manifest.write_text(_HEADER + "".join(rows), encoding="utf-8")
    return manifest


def workload(name: str, place: Path, scale: float, repeats: int, data: Path | None) -> dict[str, object]:
    """Return the figures of one workload: seconds, images a second, and each other's time over ours."""
    work = (WORKLOADS | SHORT_WORKLOADS)[name]
    count = max(8, int(work.count * scale))
    spent: dict[str, list[float]] = {}
    used: dict[str, list[float]] = {}
    peak_mb = 0.0
    with tempfile.TemporaryDirectory(dir=place) as folder:
        root = Path(folder)
        sources = work.make(root / "in", count, data)
        manifest = write_manifest(sources, root)
        tools = [tool for tool in work.others if baselines.available(tool)]
        for repeat in range(repeats):
            for tool in [*OURS, *tools]:
                out = root / f"{tool}-{repeat}"
                some = sources[:_MOST_FILES] if tool in {"img2dcm", "gdcmimg"} else sources
                (root / "list").write_text(("\0" if tool == FLOOR else "\n").join(map(str, some)))
                os.sync()
                if tool in OURS:
                    done = measure.bulkdcm("convert", manifest, "--out", out, *OURS[tool])
                    peak_mb = max(peak_mb, done.peak_mb)
                elif tool == FLOOR:
                    done = measure.run(sys.executable, "-P", floor.__file__, root / "list", out, baselines.WORKERS)
                elif tool == IMPORTS:
                    done = measure.run(sys.executable, "-c", "import numpy, pydicom, pandas")
                else:
                    done = measure.run(sys.executable, "-m", "benchmarks.baselines", tool, root / "list", out)
                if place == MEMORY:
                    shutil.rmtree(out, ignore_errors=True)
                if done.returncode == 0:
                    spent.setdefault(tool, []).append(round(done.wall_s * len(sources) / len(some), 3))
                    used.setdefault(tool, []).append(round(done.cpu_s * len(sources) / len(some), 3))
                elif repeat == 0:
                    print(f"{tool} left out: {done.output[-200:]}", flush=True)
    medians = {tool: round(statistics.median(found), 3) for tool, found in spent.items()}
    mine = medians["bulkdcm, 2 workers"]
    return {
        "images": count,
        "peak_mb_of_the_largest_process": peak_mb,
        "seconds": medians,
        "cpu_seconds": {tool: round(statistics.median(found), 3) for tool, found in used.items()},
        "our_time_over_the_floor": round(mine / medians[FLOOR], 2),
        "images_per_s": {tool: round(count / s, 1) for tool, s in medians.items()},
        "their_time_over_ours": {tool: round(s / mine, 2) for tool, s in medians.items()},
        "all_seconds": spent,
        "left_out": [tool for tool in work.others if tool not in spent],
    }


def main() -> None:
    """Measure and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="of the number of images")
    parser.add_argument("--repeats", type=int, default=_REPEATS)
    parser.add_argument("--place", choices=["disk", "memory", "both"], default="both")
    parser.add_argument("--no-save", action="store_true", help="only print")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of real images, as the project's CI has it")
    asked = parser.parse_args()
    data = real(asked.data)
    if data is None:
        print(f"no {asked.data}: radiographs and photographs are made, not real ones", flush=True)
    places = {"disk": Path(tempfile.gettempdir()), "memory": MEMORY}
    figures: dict[str, dict[str, object]] = {}
    for place, folder in places.items():
        if asked.place not in {place, "both"} or not folder.is_dir():
            continue
        figures[place] = {}
        for name in (*WORKLOADS, *SHORT_WORKLOADS):
            figures[place][name] = workload(name, folder, asked.scale, asked.repeats, data)
            print(place, name, figures[place][name], flush=True)
    if not asked.no_save:
        print(measure.save("throughput", {"real_images": data is not None, "places": figures}))


if __name__ == "__main__":
    main()
