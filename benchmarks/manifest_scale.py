"""What checking and planning a manifest costs, as it grows: `python -m benchmarks.manifest_scale`.

Time and memory of `bulkdcm check`, and of `bulkdcm convert --dry-run` into a new folder, for 10,000, 100,000 and 1,000,000 rows.
The images are there, hard links to a few real ones, since the check looks at each source.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from benchmarks import measure
from benchmarks.resume import write_images, write_manifest

_ROWS = (10_000, 100_000, 1_000_000)


def scale(rows: int) -> dict[str, object]:
    """Return the figures of one size."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_manifest(folder / "manifest.csv", rows)
        write_images(folder, rows)
        figures: dict[str, object] = {"rows": rows}
        for what, arguments in (
            ("check", ["check", folder / "manifest.csv"]),
            ("plan", ["convert", folder / "manifest.csv", "--out", folder / "out", "--dry-run"]),
        ):
            done = measure.bulkdcm(*arguments)
            figures[what] = {
                "wall_s": done.wall_s,
                "peak_mb": done.peak_mb,
                "us_a_row": round(done.wall_s / rows * 1e6, 2),
                "bytes_a_row": round(done.peak_mb * 1e6 / rows),
            }
        return figures


def main() -> None:
    """Measure and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="*", default=_ROWS)
    parser.add_argument("--no-save", action="store_true", help="only print")
    asked = parser.parse_args()
    figures = []
    for rows in asked.rows:
        figures.append(scale(rows))
        print(figures[-1], flush=True)
    if not asked.no_save:
        print(measure.save("manifest_scale", {"sizes": figures}))


if __name__ == "__main__":
    main()
