"""What reading a manifest costs in each format: `python -m benchmarks.tables`.

The same rows as CSV, with other delimiters and encodings, as JSON lines, Parquet, Arrow and an Excel workbook, each read in a
process of its own beside the CSV's time and memory; and a mapping with parts of cells, conversions and a search by name.
"""

from __future__ import annotations

import argparse
import csv
import json
import statistics
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import openpyxl
import pyarrow as pa
from pyarrow import csv as arrow_csv
from pyarrow import parquet

from benchmarks import measure
from benchmarks.resume import write_manifest

if TYPE_CHECKING:
    from collections.abc import Callable

_ROWS = 1_000_000
_REPEATS = 3
_READ = """
import sys, time
from pathlib import Path
from bulkdcm import manifest
from bulkdcm.settings import Settings
options = {"mapping": Path(sys.argv[2])} if len(sys.argv) > 2 else {}
began = time.process_time()
found = manifest.read(Path(sys.argv[1]), Settings.of(**options))
print(len(found), time.process_time() - began)
"""
_MAPPING = """
[patterns]
number = "(\\\\d+)\\\\.png$"
[columns]
source = { column = "source" }
PatientID = { template = "{PatientID[1:]}-{source:number}" }
PatientName = { column = "PatientName" }
StudyDate = { column = "StudyDate", as = "date" }
StudyTime = { column = "StudyTime", as = "time" }
InstanceNumber = { count = ["PatientID"] }
Modality = "OT"
"""


def _divided(folder: Path, path: Path) -> None:
    with (
        (folder / "m.csv").open(encoding="utf-8", newline="") as file,
        path.open("w", encoding="utf-8", newline="") as new,
    ):
        csv.writer(new, delimiter=";").writerows(csv.reader(file))


def _utf16(folder: Path, path: Path) -> None:
    path.write_text((folder / "m.csv").read_text(encoding="utf-8"), encoding="utf-16")


def _table(folder: Path) -> pa.Table:
    return arrow_csv.read_csv(
        folder / "m.csv",
        convert_options=arrow_csv.ConvertOptions(column_types={"StudyDate": pa.string(), "StudyTime": pa.string()}),
    )


def _parquet(folder: Path, path: Path) -> None:
    parquet.write_table(_table(folder), path)


def _arrow(folder: Path, path: Path) -> None:
    table = _table(folder)
    with pa.ipc.new_file(path, table.schema) as file:
        file.write_table(table)


def _json(folder: Path, path: Path) -> None:
    with (folder / "m.csv").open(encoding="utf-8", newline="") as file, path.open("w", encoding="utf-8") as new:
        new.writelines(f"{json.dumps(row)}\n" for row in csv.DictReader(file))


def _workbook(folder: Path, path: Path) -> None:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("rows")
    with (folder / "m.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.reader(file):
            sheet.append(row)
    book.save(path)


FORMATS: dict[str, tuple[str, Callable[[Path, Path], None]]] = {
    "CSV, semicolons": ("s.csv", _divided),
    "CSV, UTF-16": ("u.csv", _utf16),
    "Parquet": ("m.parquet", _parquet),
    "Arrow": ("m.arrow", _arrow),
    "JSON lines": ("m.jsonl", _json),
    "Excel": ("m.xlsx", _workbook),
}


def figures_of(rows: int, repeats: int) -> dict[str, dict[str, float]]:
    """Return seconds of processor time and MB of memory for each format; the formats take turns."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_manifest(folder / "m.csv", rows)
        (folder / "m.toml").write_text(_MAPPING, encoding="utf-8")
        jobs: dict[str, tuple[Path, ...]] = {"CSV": (folder / "m.csv",)}
        for kind, (file, write) in FORMATS.items():
            write(folder, folder / file)
            jobs[kind] = (folder / file,)
        jobs["CSV, mapped"] = (folder / "m.csv", folder / "m.toml")
        runs: dict[str, list[tuple[float, float]]] = {}
        for _ in range(repeats):
            for kind, arguments in jobs.items():
                done = measure.run(sys.executable, "-c", _READ, *arguments)
                count, cpu_s = done.output.split()
                assert int(count) == rows, done.output  # noqa: S101  # else the figure is of something else
                runs.setdefault(kind, []).append((float(cpu_s), done.peak_mb))
        plain_s, plain_mb = map(statistics.median, zip(*runs["CSV"], strict=True))
        return {
            kind: {
                "cpu_s": round(statistics.median([one[0] for one in some]), 2),
                "peak_mb": round(statistics.median([one[1] for one in some])),
                "times_the_csv": round(statistics.median([one[0] for one in some]) / plain_s, 2),
                "memory_of_the_csv": round(statistics.median([one[1] for one in some]) / plain_mb, 2),
            }
            for kind, some in runs.items()
        }


def main() -> None:
    """Measure and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=_ROWS)
    parser.add_argument("--repeats", type=int, default=_REPEATS)
    parser.add_argument("--no-save", action="store_true", help="only print")
    asked = parser.parse_args()
    found = figures_of(asked.rows, asked.repeats)
    for kind, figures in found.items():
        print(f"{kind:<16} {figures}")
    if not asked.no_save:
        print(measure.save("tables", {"rows": asked.rows, "formats": found}))


if __name__ == "__main__":
    main()
