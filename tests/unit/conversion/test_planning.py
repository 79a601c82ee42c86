"""What is decided for many rows at once is what is decided row by row, whatever has become of rows and files."""

from __future__ import annotations

import hashlib
import os
import random
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from bulkdcm.conversion import fingerprints, planning
from bulkdcm.conversion.plan import (
    ALTERED,
    DONE,
    FAILED,
    METADATA,
    MISSING,
    NEW,
    SCHEMA,
    SETTINGS,
    SOURCE,
    UNCHANGED,
    Plan,
)
from bulkdcm.ledger.schema import DECISIVE
from bulkdcm.manifest import Column, Manifest
from bulkdcm.stores import Local

ROWS, BASIS, RELEASE = 24, "basis", "release"
BY_UIDS = "1.2/3.4/5.{}.dcm"


class Recorded:
    """What a ledger has of its rows."""

    def __init__(self, rows: list[dict[str, object]]) -> None:
        self.rows = sorted(rows, key=lambda row: row["ordinal"])

    def decisive(self):
        return iter([tuple(row[name] for name in DECISIVE) for row in self.rows])

    def failures(self):
        return {row["ordinal"]: row["failure"] for row in self.rows if row["status"] == "failed"}

    def source_digests(self):
        return {row["ordinal"]: row["source_sha256"] for row in self.rows}


def manifest_of(rng: random.Random) -> Manifest:
    uid_layout, doubled = rng.random() < 0.3, rng.random() < 0.3
    sources = [f"{number % 3}/é{number // (2 if doubled else 1)}.png" for number in range(ROWS)]
    sources = [source if rng.random() < 0.5 else source.replace("é", "e\u0301") for source in sources]
    outputs = ["" if uid_layout and rng.random() < 0.8 else f"{number}.dcm" for number in range(ROWS)]
    cells = {
        "source": sources
        if rng.random() < 0.5
        else [source.replace("e\u0301", "é").replace("é", "e") for source in sources],
        "output": outputs,
        "sop_class": ["1.2.840.10008.5.1.4.1.1.7"] * ROWS,
        "PatientID": [str(rng.randint(1, 3)) for _ in range(ROWS)],
    }
    return Manifest(
        Path("m.csv"), {name: Column.of(column) for name, column in cells.items()}, np.arange(ROWS, dtype=np.int32)
    )


def recorded(rng: random.Random, rows: Manifest, root: Path, ordinal: int) -> dict[str, object]:
    """Return what a ledger has of a row that is done, its files being made."""
    found = fingerprints.Fingerprints(rows)
    source, output = rows.column("source")[ordinal], rows.column("output")[ordinal] or BY_UIDS.format(ordinal)
    for path in (root / "images" / source, root / "out" / output):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{path.name} {ordinal // 2}", encoding="utf-8")
    files = {
        name: (root / folder / path).stat()
        for name, folder, path in (("source", "images", source), ("output", "out", output))
    }
    digests = {
        f"{name}_sha256": digest_of(root / folder / path)
        for name, folder, path in (("source", "images", source), ("output", "out", output))
    }
    old_form = fingerprints._numbered(fingerprints._hashes(rows, ("source", "instance"), str))
    return {
        "ordinal": ordinal,
        "status": "converted",
        "identity": int(old_form[ordinal] if rng.random() < 0.3 else found.identities[ordinal]),
        "metadata": int(found.metadata[ordinal]),
        "schema_number": int(found.schemas[ordinal]),
        "settings": BASIS,
        "output": output,
        **{f"{name}_size_bytes": status.st_size for name, status in files.items()},
        **{f"{name}_version": status.st_mtime_ns for name, status in files.items()},
        **digests,
        "attempt": rng.randint(1, 3),
        "failure": rng.choice([("decode", "PixelError", RELEASE), ("decode", "PixelError", "other"), ("read", "ReadError", RELEASE)]),
    }  # fmt: skip


def digest_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def changed(rng: random.Random, row: dict[str, object], source: Path, root: Path) -> None:
    """Let something happen to a row or its files."""
    kind, output = rng.randrange(14), root / "out" / str(row["output"])
    told: dict[int, dict[str, object]] = {
        0: {"metadata": 1},
        1: {"schema_number": 99},
        2: {"settings": "others"},
        3: {"status": "failed", "output": rng.choice([None, row["output"]])},
        4: {"status": "failed", "source_size_bytes": None, "source_version": None},
        5: {"identity": rng.randint(1, 9)},
        6: {"output": rng.choice(["elsewhere.dcm", BY_UIDS.format("7.8"), None])},
        7: {"metadata": 2, "schema_number": 99},
    }
    row.update(told.get(kind, {}))
    if kind == 6 and row["output"]:
        (root / "out" / "1.2" / "3.4").mkdir(parents=True, exist_ok=True)
        output.replace(root / "out" / str(row["output"]))
    for number, path in enumerate((source, output)):
        if kind == 8 + number:
            path.unlink(missing_ok=True)
        elif kind == 10 + number:
            os.utime(path, ns=(0, rng.randint(1, 10**18)))
        elif kind == 12 + number:
            path.write_bytes(rng.choice([b"other", b"x" * path.stat().st_size]))


def plainly(rows: Manifest, ledger: Recorded, context, *, compare_sources: bool) -> Plan:
    """Return the plan, decided row by row."""
    plan = Plan(reasons=[NEW] * ROWS, attempts=[0] * ROWS, outputs=[""] * ROWS, known=fingerprints.Fingerprints(rows))
    places = {identity: ordinal for ordinal, identity in enumerate(plan.known.identities.tolist())}
    old_forms = fingerprints._numbered(fingerprints._hashes(rows, ("source", "instance"), str)).tolist()
    for ordinal, identity in enumerate(old_forms):
        places.setdefault(identity, ordinal)
    aside = 0
    for old in ledger.rows:
        aside = min(aside, old["ordinal"])
        ordinal = places.pop(old["identity"], None)
        if ordinal is None:
            plan.orphaned |= {old["output"]} - {None, ""}
            if old["ordinal"] >= 0:
                aside -= 1
                plan.moves.append((old["ordinal"], aside))
            continue
        if ordinal != old["ordinal"]:
            plan.moves.append((old["ordinal"], ordinal))
        plan.reasons[ordinal] = reason_of(plan, rows, ordinal, old, ledger, context, compare_sources)
    return plan


def reason_of(plan, rows, ordinal, old, ledger, context, compare_sources) -> str:
    planned, output = rows.column("output")[ordinal], old["output"] or ""
    plan.attempts[ordinal], plan.outputs[ordinal] = old["attempt"], output
    same_place = planned == output if planned else bool(re.fullmatch(r"[0-9.]+/[0-9.]+/[0-9.]+\.dcm", output))
    same_metadata = old["metadata"] == plan.known.metadata[ordinal]
    same_schema = old["schema_number"] == plan.known.schemas[ordinal]
    source = Path(context.sources.root, rows.column("source")[ordinal])
    now = (source.stat().st_size, source.stat().st_mtime_ns) if source.exists() else None
    same_source = now == (old["source_size_bytes"], old["source_version"])
    if old["status"] != "converted":
        same = same_schema and old["settings"] == BASIS and same_metadata and same_source
        return UNCHANGED if same and ledger.failures()[old["ordinal"]] == ("decode", "PixelError", RELEASE) else FAILED
    plan.before += 1
    if now is None:
        plan.missing.append(ordinal)
    elif compare_sources:
        at_once = same_source
        same_source = now[0] == old["source_size_bytes"] and digest_of(source) == old["source_sha256"]
        if not same_source:
            plan.exchanged.append(ordinal)
        elif not at_once:
            plan.touched[ordinal] = now[1]
    if not same_schema and same_metadata:
        return SCHEMA
    if old["settings"] != BASIS:
        return SETTINGS
    if not (same_metadata and same_place):
        return METADATA
    if not same_source:
        return SOURCE
    file = Path(context.outputs.root, output)
    if not file.exists():
        return MISSING
    same_size = file.stat().st_size == old["output_size_bytes"]
    same_time = file.stat().st_mtime_ns == old["output_version"]
    return DONE if same_size and (same_time or digest_of(file) == old["output_sha256"]) else ALTERED


def scenario(rng: random.Random, root: Path) -> tuple[Manifest, Recorded]:
    rows = manifest_of(rng)
    ledger = [recorded(rng, rows, root, ordinal) for ordinal in range(ROWS)]
    for row in rng.sample(ledger, rng.choice((0, 1, 3, 20))):
        source = root / "images" / rows.column("source")[row["ordinal"]]
        changed(rng, row, source, root)
    if rng.random() < 0.3:  # rows that were never tried, or are no longer there
        ledger = rng.sample(ledger, ROWS // 2)
    if rng.random() < 0.3:
        for row, place in zip(ledger, rng.sample(range(-5, ROWS + 9), len(ledger)), strict=True):
            row["ordinal"] = place
    if rng.random() < 0.3:  # set aside, and back again
        ledger.append({**rng.choice(ledger), "ordinal": rng.choice((-9, ROWS + 20))})
    return rows, Recorded(ledger)


@pytest.mark.parametrize("seed", range(120))
def test_many_rows_at_once_are_decided_as_one_by_one(seed, tmp_path, monkeypatch):
    rng = random.Random(seed)
    monkeypatch.setattr(planning, "_BLOCK", rng.choice((1, 5, 1024)))
    rows, ledger = scenario(rng, tmp_path)
    context = SimpleNamespace(
        sources=Local(root=str(tmp_path / "images")),
        outputs=Local(root=str(tmp_path / "out")),
        basis=BASIS,
        release=RELEASE,
    )
    compare_sources = rng.random() < 0.3
    expected = plainly(rows, ledger, context, compare_sources=compare_sources)
    found = planning.plan_of(rows, ledger, context, compare_sources=compare_sources)
    for name in ("reasons", "attempts", "outputs", "moves", "orphaned", "missing", "exchanged", "before", "touched"):
        assert getattr(found, name) == getattr(expected, name), name


def test_the_scenarios_have_every_reason(tmp_path):
    found = set()
    for seed in range(40):
        rows, ledger = scenario(random.Random(seed), tmp_path / str(seed))
        context = SimpleNamespace(
            sources=Local(root=str(tmp_path / str(seed) / "images")),
            outputs=Local(root=str(tmp_path / str(seed) / "out")),
            basis=BASIS,
            release=RELEASE,
        )
        found |= {*plainly(rows, ledger, context, compare_sources=False).reasons}
    assert found == {ALTERED, DONE, FAILED, METADATA, MISSING, NEW, SCHEMA, SETTINGS, SOURCE, UNCHANGED}
