"""The tables of a ledger, once: what each column holds, and what decides whether a row is done."""

from __future__ import annotations

VERSION = 2  # of the tables below

# What decides whether a row is done, with a checksum of its own, so that a resume reads no more than this.
DECISIVE = (
    "ordinal",
    "status",
    "identity",
    "metadata",
    "schema_number",
    "settings",
    "source_size_bytes",
    "source_mtime_ns",
    "output",
    "output_size_bytes",
    "output_mtime_ns",
    "output_sha256",
    "attempt",
)

# One column for each key of `Converted.record` and `Failed.record`, then what resuming needs, then what the ledger counts.
COLUMNS: dict[str, str] = {
    "ordinal": "INTEGER PRIMARY KEY",
    "status": "TEXT NOT NULL",
    **dict.fromkeys(("stage", "error", "message", "traceback", "output"), "TEXT"),
    **dict.fromkeys(("study_instance_uid", "series_instance_uid", "sop_instance_uid", "sop_class_uid"), "TEXT"),
    **dict.fromkeys(("transfer_syntax_uid", "photometric_interpretation"), "TEXT"),
    **dict.fromkeys(("rows", "columns", "bits_stored", "samples_per_pixel"), "INTEGER"),
    **dict.fromkeys(("source_size_bytes", "output_size_bytes"), "INTEGER"),
    **dict.fromkeys(("source_sha256", "output_sha256", "decisions"), "TEXT"),
    **dict.fromkeys(("read_s", "decode_s", "build_s", "encode_s", "store_s"), "REAL"),
    **dict.fromkeys(("worker", "source_mtime_ns", "output_mtime_ns"), "INTEGER"),
    **dict.fromkeys(("identity", "metadata", "schema_number"), "INTEGER"),
    **dict.fromkeys(("settings", "reason"), "TEXT"),
    "attempt": "INTEGER NOT NULL",
    # Since version 2. Of a failed row, `output` and what is known of it are an earlier attempt's, still in place.
    **dict.fromkeys(("release", "earlier_source_sha256"), "TEXT"),
    "checksum": "INTEGER NOT NULL",
    "decisive_checksum": "INTEGER NOT NULL",
}
CONTENT = list(COLUMNS)[:-2]  # without the checksums, which the ledger makes itself
# What tells whether a file is the one that was written.
FILE_FACTS = ("output", "output_size_bytes", "output_mtime_ns", "output_sha256")
TABLES = {
    "outcome": COLUMNS,
    # Outputs of earlier attempts, which go once the run is over.
    "obsolete": {
        "output": "TEXT PRIMARY KEY",
        **dict.fromkeys(("output_size_bytes", "output_mtime_ns"), "INTEGER"),
        "output_sha256": "TEXT",
    },
    # Outputs that workers have been asked for: what a killed run left at these names is ours.
    "claim": {"output": "TEXT PRIMARY KEY"},
    # Files that are complete and recorded under the names they are about to get.
    "move": {"staged": "TEXT PRIMARY KEY", "output": "TEXT"},
    "fact": {"name": "TEXT PRIMARY KEY", "value": "TEXT"},
}
