"""Output folders as runs leave them, of any size, without converting an image: a ledger, and what it says of its rows."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bulkdcm.ledger.ledger import open_ledger
from bulkdcm.ledger.runs import Listing
from bulkdcm.manifest.table import Column
from bulkdcm.report.html.table import mirrored
from tests.reports import ASKED

if TYPE_CHECKING:
    from collections.abc import Sequence

FIXTURE = Path(__file__).parent / "fixtures" / "ledger_0.1.0" / "ledger.sqlite"
CLASSES = ("1.2.840.10008.5.1.4.1.1.1", "1.2.840.10008.5.1.4.1.1.7", "1.2.840.10008.5.1.4.1.1.6.1")
SIZES = ((1024, 1024), (2048, 2500), (512, 512), (640, 480))
_FAULTS = (
    ("decode", "PixelError", "{source}: the PNG is cut off at byte {ordinal}. Fetch the file again."),
    ("read", "ReadError", "{source}: no such file. Correct the source column, or put the file there."),
    ("decode", "PixelError", "{source}: {ordinal} of its pixels are transparent. Lay them on a --background."),
)


def uid(*parts: object) -> str:
    digest = hashlib.sha256(repr(parts).encode()).digest()
    return f"2.25.{int.from_bytes(digest[:16], 'big')}"


def outcome(ordinal: int, source: str, every: int = 97) -> dict[str, Any]:
    """Return what a run records of a row; one of `every` rows fails."""
    digest = hashlib.sha256(source.encode()).hexdigest()
    known = {
        "ordinal": ordinal, "attempt": 1, "reason": "new", "run": 1, "source_size_bytes": 300_000 + ordinal * 7 % 90_000,
        "source_sha256": digest if ordinal % 5000 else "0" * 64, "worker": 4000 + ordinal % 4, "read_s": 0.001, "decode_s": 0.012,
    }  # fmt: skip
    if ordinal % every == every - 1:
        stage, error, message = _FAULTS[ordinal // every % 3]
        told = message.format(source=source, ordinal=ordinal)
        return {**known, "status": "failed", "stage": stage, "error": error, "message": told, "traceback": ""}
    rows, columns = SIZES[ordinal % 7 % 4]
    return {
        **known, "status": "converted", "output": mirrored(source), "study_instance_uid": uid("study", ordinal // 6),
        "series_instance_uid": uid("series", ordinal // 2), "sop_instance_uid": uid("instance", ordinal),
        "sop_class_uid": CLASSES[ordinal % 11 % 3], "transfer_syntax_uid": "1.2.840.10008.1.2.1",
        "photometric_interpretation": "MONOCHROME2", "rows": rows, "columns": columns, "bits_stored": 16 if ordinal % 3 else 8,
        "samples_per_pixel": 1, "output_size_bytes": rows * columns * 2, "output_sha256": digest[::-1],
        "decisions": "window 900/1200 of the values present", "build_s": 0.0004, "encode_s": 0.003, "store_s": 0.002,
    }  # fmt: skip


def listing(sources: Sequence[str], per_patient: int = 12) -> Listing:
    source = Column.of(sources)
    output = Column.of([mirrored(one) for one in sources])
    return Listing(
        lines=np.arange(2, len(sources) + 2, dtype=np.int32),
        sources=(source.codes, source.values),
        outputs=(output.codes, output.values),
        patients=np.arange(len(sources)) // per_patient + 1,
    )


def folder_of(
    folder: Path, sources: Sequence[str], outcomes: Sequence[dict[str, Any]] | None = None, **facts: Any
) -> Path:
    """Return an output folder whose ledger has these rows, as after a run; with ``state`` as before its end."""
    state = facts.pop("state", "ended")
    ledger = open_ledger(folder, None)
    try:
        run = ledger.begin_run(0.0)
        told = {"asked": ASKED.note, "workers": 4, "partial": False, "unchanged": []}
        if state == "ended":
            told |= {"elapsed_s": 61.5, "interrupted": 0, "warnings": [], "notes": []}
        ledger.tell_of_run(**told | facts)
        ledger.renumber([], listing(sources))
        rows = [outcome(n, source) for n, source in enumerate(sources)] if outcomes is None else outcomes
        ledger.record({"attempt": 1, "run": run, **row} for row in rows)
        pace = [(run, round(60 * n / 80 + 1, 3), 100 + n * 37 % 50, n % 3) for n in range(80)]
        ledger._database.connection.executemany("INSERT INTO pace VALUES (?, ?, ?, ?)", pace)
        ledger.note("images", json.dumps(str(folder)))
        ledger.mark(state)
    finally:
        ledger.close()
    return folder


def sources_of(count: int) -> list[str]:
    return [f"site-{n % 7}/patient-{n // 12:06}/study-{n // 6:06}/image-{n:07}.png" for n in range(count)]
