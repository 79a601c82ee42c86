"""What a row costs the run's own process: `python -m benchmarks.parent`.

The workers' part is left out: a chunk becomes outcomes of objects that were never made. What remains is handing rows out,
taking results in, the ledger and the report. Its CPU time is counted without the check of the manifest and the plan.
"""

from __future__ import annotations

import argparse
import pickle
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import bulkdcm
from benchmarks import measure, throughput
from bulkdcm.conversion import execute, run
from bulkdcm.conversion.chunk import result_of
from bulkdcm.conversion.outcome import Converted, SourceFacts
from bulkdcm.stores import Stored

if TYPE_CHECKING:
    from collections.abc import Callable

    from bulkdcm.conversion.context import Context
    from bulkdcm.conversion.outcome import ChunkResult
    from bulkdcm.part import Part

_ROWS = 50_000
_UID, _SHA256 = "2.25.226543287170306389154022203868542829531", "0123456789abcdef" * 4
_MADE = {
    "study_instance_uid": _UID, "series_instance_uid": _UID, "sop_class_uid": "1.2.840.10008.5.1.4.1.1.7",
    "transfer_syntax_uid": "1.2.840.10008.1.2.1", "photometric_interpretation": "MONOCHROME2", "rows": 28, "columns": 28,
    "bits_stored": 8, "samples_per_pixel": 1, "decisions": "",
}  # fmt: skip


class _Elsewhere:
    """CPU time that isn't the parent's, or is counted by others."""

    def __init__(self) -> None:
        self.spent_s = 0.0

    def of(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function whose time is left out."""

        def timed(*arguments: Any, **options: Any) -> Any:
            began = time.process_time()
            try:
                return function(*arguments, **options)
            finally:
                self.spent_s += time.process_time() - began

        return timed


def null_chunk(part: Part, context: Context) -> bytes:
    """Return what workers would say of rows that they haven't looked at, as it travels."""
    rows = part.rows()
    seconds = {"read_s": 1.25e-5, "decode_s": 2.5e-5, "build_s": 1.5e-5, "encode_s": 1.125e-5, "store_s": 3.5e-5}
    outcomes = [
        Converted(
            sources=(SourceFacts(ordinal=row.ordinal, source_size_bytes=900, source_sha256=_SHA256, source_version=1),),
            stored=Stored(name=row.output, size_bytes=1600, sha256=_SHA256, version=1),
            made={**_MADE, "sop_instance_uid": f"{_UID[:30]}{row.ordinal:09d}"},
            referenced=None,
            seconds=seconds,
            worker=1,
        )
        for row in rows
    ]
    return pickle.dumps(result_of(outcomes, rows, context))


def parent(rows: int) -> dict[str, float]:
    """Return CPU time a row in microseconds, and rows a second on one core."""
    others = _Elsewhere()
    worker = others.of(null_chunk)

    def chunk(part: Part, context: Context) -> ChunkResult:
        sent = pickle.dumps(part)
        found: ChunkResult = pickle.loads(worker(pickle.loads(sent), context))  # noqa: S301  # our own
        return found

    with tempfile.TemporaryDirectory(dir=throughput.MEMORY if throughput.MEMORY.is_dir() else None) as folder:
        root = Path(folder)
        (root / "image.png").write_bytes(b"never read")
        manifest = throughput.write_manifest([root / "image.png"] * rows, root)
        text = manifest.read_text(encoding="utf-8").splitlines()
        lines = [f"image.png,{number},{line.partition(',')[2]}" for number, line in enumerate(text[1:])]
        manifest.write_text(
            "\n".join([text[0].replace("source,", "source,instance,"), *lines]) + "\n", encoding="utf-8"
        )
        with (
            mock.patch.object(execute.chunk, "convert_chunk", chunk),
            mock.patch.object(run, "checked", others.of(run.checked)),
            mock.patch.object(run.Preparation, "work", others.of(run.Preparation.work)),
        ):
            bulkdcm.convert(manifest, root / "warm", backend="sequential", layout="uid", rows="0:10", fsync=False)
            others.spent_s, began = 0.0, time.process_time()
            report = bulkdcm.convert(manifest, root / "out", backend="sequential", layout="uid", fsync=False)
            spent_s = time.process_time() - began - others.spent_s
    if report.count("converted") != rows:
        raise RuntimeError(report.summary())
    return {"rows": rows, "us_a_row": round(spent_s / rows * 1e6, 1), "rows_a_second": round(rows / spent_s)}


def main() -> None:
    """Measure and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=_ROWS)
    parser.add_argument("--no-save", action="store_true", help="only print")
    asked = parser.parse_args()
    figures = {"cpu_seconds": parent(asked.rows)}
    print(figures)
    if not asked.no_save:
        print(measure.save("parent", figures))


if __name__ == "__main__":
    main()
