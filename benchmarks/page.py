"""What the report's page costs: `python -m benchmarks.page`.

Time and memory of `bulkdcm report` of a run of 100,000 rows, which writes all files of the report, and the size of its page,
with and without identifiers.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from benchmarks import measure
from benchmarks.resume import fill, write_images, write_manifest
from bulkdcm.report import PAGE

_ROWS = 100_000


def figures_of(rows: int) -> dict[str, dict[str, float]]:
    """Return wall time, memory and the page's size."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_manifest(folder / "manifest.csv", rows)
        write_images(folder, rows)
        fill(folder, rows)
        out = folder / "out"
        measure.bulkdcm("convert", folder / "manifest.csv", "--out", out)  # which tells the ledger the rows' names
        found = {}
        for what, options in (("plain", []), ("identifiers", ["--identifiers"])):
            done = measure.bulkdcm("report", out, *options)
            size_mb = round((out / PAGE).stat().st_size / 1e6, 2)
            found[what] = {"wall_s": done.wall_s, "peak_mb": done.peak_mb, "page_mb": size_mb}
        return found


def main() -> None:
    """Measure and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=_ROWS)
    parser.add_argument("--no-save", action="store_true", help="only print")
    asked = parser.parse_args()
    found = figures_of(asked.rows)
    print(found)
    if not asked.no_save:
        print(measure.save("page", {"rows": asked.rows, **found}))


if __name__ == "__main__":
    main()
