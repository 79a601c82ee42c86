"""What it costs to read images from archives instead of files: `python -m benchmarks.archives`.

The same small PNG images unpacked and in an archive of each format, converted by the real command, by turns, and then
once more with nothing left to do. The figures to look at are the ratios to the unpacked run.
"""

from __future__ import annotations

import argparse
import statistics
import tarfile
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from benchmarks import measure
from benchmarks.resume import name_of

_FOLDER = "unpacked"
_MODES = {"x.tar": "w", "x.tar.gz": "w:gz"}
_KINDS = (_FOLDER, "x.zip", *_MODES, "x.parquet")
_HEADER = "source,PatientID,PatientName,PatientSex,StudyDate,StudyTime,StudyID,SeriesNumber,InstanceNumber,Modality\n"


def write_images(root: Path, count: int) -> None:
    """Write images, and the same ones into an archive of each format."""
    rng = np.random.default_rng(1)
    names = [f"{name_of(number)}.png" for number in range(count)]
    for name in names:
        path = root / _FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (28, 28), dtype=np.uint8)).save(path)
    with zipfile.ZipFile(root / "x.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        for name in names:
            packed.write(root / _FOLDER / name, name)
    for archive, mode in _MODES.items():
        with tarfile.open(root / archive, mode) as stream:
            for name in names:
                stream.add(root / _FOLDER / name, name)
    cells = [{"bytes": (root / _FOLDER / name).read_bytes(), "path": name} for name in names]
    pq.write_table(pa.table({"image": cells}), root / "x.parquet")


def write_manifest(root: Path, kind: str, count: int) -> Path:
    """Write the manifest of the images in one of the places."""
    path = root / f"{kind}.csv"
    with path.open("w", encoding="utf-8") as file:
        file.write(_HEADER)
        for number in range(count):
            member = f"image/{number}" if kind.endswith("parquet") else f"{name_of(number)}.png"
            source = f"{kind}/{member}" if kind == _FOLDER else f"{kind}!{member}"
            file.write(f"{source},P{number // 10:07d},A^B,O,20230102,101112,1,1,{number % 10 + 1},OT\n")
    return path


def compared(count: int, repeats: int, workers: int) -> dict[str, object]:
    """Return the median wall time of each place, and how many times as long as unpacked it is."""
    spent: dict[str, dict[str, list[float]]] = {kind: {"run": [], "resume": []} for kind in _KINDS}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_images(root, count)
        paths = {kind: write_manifest(root, kind, count) for kind in _KINDS}
        for repeat in range(repeats):
            for kind, path in paths.items():
                command = ("convert", path, "--out", root / f"out-{kind}-{repeat}", "--n-jobs", workers)
                for what in ("run", "resume"):
                    spent[kind][what].append(measure.bulkdcm(*command).wall_s)
    figures: dict[str, object] = {"images": count, "workers": workers}
    for what in ("run", "resume"):
        wall_s = {kind: statistics.median(times[what]) for kind, times in spent.items()}
        figures[what] = {
            kind: {
                "wall_s": round(median_s, 3),
                "images_per_s": round(count / median_s, 1),
                "times_as_long_as_unpacked": round(median_s / wall_s[_FOLDER], 2),
            }
            for kind, median_s in wall_s.items()
        }
    return figures


def main() -> None:
    """Measure and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--n-jobs", type=int, default=2)
    parser.add_argument("--no-save", action="store_true", help="only print")
    asked = parser.parse_args()
    figures = compared(asked.images, asked.repeats, asked.n_jobs)
    for what in ("run", "resume"):
        print(what, figures[what])
    if not asked.no_save:
        print(measure.save("archives", figures))


if __name__ == "__main__":
    main()
