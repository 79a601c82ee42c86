"""What a resume costs where everything is done already, and what durability costs a run.

A million rows are recorded as done, their sources and outputs being hard links to a few real ones; then the real command
looks at them. `python benchmarks/resume.py --rows 1000000` writes results/resume.json.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks import measure
from bulkdcm import manifest
from bulkdcm.conversion.context import Context, release
from bulkdcm.conversion.planning import plan_of
from bulkdcm.ledger.files import FOLDER
from bulkdcm.ledger.ledger import open_ledger
from bulkdcm.ledger.schema import CONTENT
from bulkdcm.model import Fingerprint
from bulkdcm.objects import offer
from bulkdcm.settings import Settings
from bulkdcm.stores import Local

_LINKS = 50_000  # ext4 takes 65,000 names for one file
_FOLDER_ROWS = 1000
_BATCH = 5000


def name_of(number: int) -> str:
    """Return the name of a row's source, without its ending."""
    return f"{number // _FOLDER_ROWS:05d}/{number % _FOLDER_ROWS:03d}"


def write_manifest(path: Path, rows: int) -> None:
    """Write the manifest of `rows` images."""
    with path.open("w", encoding="utf-8") as file:
        file.write(
            "source,PatientID,PatientName,PatientSex,StudyDate,StudyTime,StudyID,SeriesNumber,InstanceNumber,Modality\n"
        )
        for number in range(rows):
            file.write(f"{name_of(number)}.png,P{number // 10:07d},A^B,O,20230102,101112,1,1,{number % 10 + 1},OT\n")


def write_images(folder: Path, rows: int) -> None:
    """Write real small images, hard-linked where there are many."""
    rng = np.random.default_rng(1)
    for number in range(rows):
        path = folder / f"{name_of(number)}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        if number % _LINKS == 0:
            first = path
            Image.fromarray(rng.integers(0, 255, (28, 28), dtype=np.uint8)).save(path)
        else:
            path.hardlink_to(first)


def fill(folder: Path, rows: int) -> None:
    """Convert the first image of each link group for real, and record every row as such a conversion."""
    out, path = folder / "out", folder / "manifest.csv"
    firsts = folder / "firsts.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    firsts.write_text("\n".join([lines[0], *lines[1::_LINKS]]) + "\n", encoding="utf-8")
    measure.bulkdcm("convert", firsts, "--out", out)
    ledger = open_ledger(out, None)
    originals = [dict(zip(CONTENT, row, strict=True)) for row in ledger.outcomes()]
    ledger.close()
    for leftover in (out / FOLDER).iterdir():
        leftover.unlink()
    settings = Settings()
    table = manifest.resolve(manifest.read(path, settings), settings, offer())
    ledger = open_ledger(out, None)
    context = Context(
        settings=settings,
        sources=Local(root=str(folder), option="--images"),
        outputs=Local(root=str(out)),
        basis=settings.output_options(b""),
        release=release(),
    )
    plan = plan_of(table, ledger, context)
    records = []
    for number in range(rows):
        original = originals[number // _LINKS]
        output = f"{name_of(number)}.dcm"
        target = out / output
        if number % _LINKS:
            if number % _FOLDER_ROWS == 0:
                target.parent.mkdir(exist_ok=True)
            os.link(out / original["output"], target)
        (fingerprint,) = map(Fingerprint, *plan.fingerprints([number]))
        known = {**fingerprint._asdict(), "settings": context.basis}
        records.append({**original, **known, "ordinal": number, "output": output})
        if len(records) == _BATCH or number == rows - 1:
            ledger.record(records)
            records = []
    ledger.mark("ended")
    ledger.close()


def resumes(folder: Path, rows: int) -> dict[str, dict[str, float]]:
    """Return wall time and memory of a dry run and of a run in which nothing is left to do."""
    figures = {}
    for name, options in (("dry_run", ["--dry-run"]), ("convert", [])):
        done = measure.bulkdcm("convert", folder / "manifest.csv", "--out", folder / "out", *options)
        if f"{rows:,}" not in done.output:
            raise RuntimeError(done.output)
        figures[name] = {"wall_s": done.wall_s, "peak_mb": done.peak_mb}
    return figures


def durability(folder: Path, rows: int, repeats: int) -> dict[str, float]:
    """Return what bringing files to the disk adds to a run of small images, alternated, as medians."""
    write_manifest(folder / "manifest.csv", rows)
    write_images(folder, rows)
    spent: dict[str, list[float]] = {"--fsync": [], "--no-fsync": []}
    for repeat in range(repeats):
        for option, found in spent.items():
            out = folder / f"out{option}{repeat}"
            done = measure.bulkdcm("convert", folder / "manifest.csv", "--out", out, option)
            found.append(done.wall_s)
    medians = {option: statistics.median(found) for option, found in spent.items()}
    return {
        "rows": rows,
        "fsync_s": medians["--fsync"],
        "no_fsync_s": medians["--no-fsync"],
        "ratio": round(medians["--fsync"] / medians["--no-fsync"], 3),
        "added_ms_a_file": round((medians["--fsync"] - medians["--no-fsync"]) / rows * 1000, 3),
    }


def main() -> None:
    """Measure and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--durability-rows", type=int, default=2000)
    parser.add_argument("--repeats", type=int, default=5, help="of the runs with and without durability")
    parser.add_argument("--no-save", action="store_true", help="only print")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_manifest(folder / "manifest.csv", asked.rows)
        write_images(folder, asked.rows)
        fill(folder, asked.rows)
        figures = {"rows": asked.rows, **resumes(folder, asked.rows)}
    with tempfile.TemporaryDirectory() as name:
        figures["durability"] = durability(Path(name), asked.durability_rows, asked.repeats)
    print(figures)
    if not asked.no_save:
        print(measure.save("resume", figures))


if __name__ == "__main__":
    main()
