"""What is left to do: the manifest against the ledger and the files, decided for all rows at once.

A row is done when its last outcome is a converted file, its fingerprint is the same, and the file is there as recorded.
The fingerprint: the row's cells, the source's size and modification time, the settings and the output schema.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from bulkdcm.attributes import dictionary
from bulkdcm.ledger import DECISIVE

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    from bulkdcm.ledger import Ledger
    from bulkdcm.manifest import Manifest

    Hashes = npt.NDArray[np.uint64]

# Raised only when the bytes of an output change for the same row and settings, not with every release.
OUTPUT_SCHEMA = 1

NEW, FAILED, SETTINGS, SCHEMA, METADATA, SOURCE, MISSING, ALTERED = (
    "new",
    "failed before",
    "settings changed",
    "schema changed",
    "metadata changed",
    "source changed",
    "output missing",
    "output altered",
)
DONE, GONE = "", "gone from the manifest"
_BY_UIDS = re.compile(r"[0-9.]+/[0-9.]+/[0-9.]+\.dcm")  # where the layout takes the name from the UIDs
_IDENTITY = ("source", "instance")


@dataclass(slots=True, kw_only=True)
class Plan:
    """Which rows run, and why.

    Attributes
    ----------
    reasons
        For each row of the manifest, why it runs; empty where it is done.
    attempts
        For each row, how often it has been tried.
    outputs
        For each row, the output it has from an earlier run; empty where there is none.
    followers
        Rows that are second, third … frame of an object, which runs as its first.
    moves
        (old, new) ordinals of rows that moved; the new one is negative for rows that are no longer in the manifest.
    """

    reasons: list[str]
    attempts: list[int]
    outputs: list[str]
    identities: npt.NDArray[np.int64]
    metadata: npt.NDArray[np.int64]
    settings: str
    followers: frozenset[int] = frozenset()
    moves: list[tuple[int, int]] = field(default_factory=list)

    def todo(self, *, retry_failed: bool) -> list[int]:
        """Return the ordinals of the rows to run; of several frames of one object, the first."""
        return [
            ordinal
            for ordinal, reason in enumerate(self.reasons)
            if reason and (retry_failed or reason != FAILED) and ordinal not in self.followers
        ]

    def counts(self) -> dict[str, int]:
        """Return how many rows there are by reason, the done ones under ``done``, and the earlier rows that are gone."""
        found: dict[str, int] = {}
        gone = sum(new < 0 for _, new in self.moves)
        for reason in [*self.reasons, *[GONE] * gone]:
            found[reason or "done"] = found.get(reason or "done", 0) + 1
        return found

    def fingerprint(self, ordinal: int) -> dict[str, Any]:
        """Return what the ledger keeps of a row to know it again."""
        return {
            "identity": int(self.identities[ordinal]),
            "metadata": int(self.metadata[ordinal]),
            "schema_number": OUTPUT_SCHEMA,
            "settings": self.settings,
            "reason": self.reasons[ordinal],
            "attempt": self.attempts[ordinal] + 1,
        }


def plan(manifest: Manifest, ledger: Ledger, settings: str, folders: tuple[str, str]) -> Plan:
    """Return the plan of a run.

    Parameters
    ----------
    manifest
        Resolved.
    ledger
        With the outcomes of earlier runs.
    settings
        Digest of the settings that change bytes.
    folders
        The image root and the output folder.
    """
    found = Plan(
        reasons=[NEW] * len(manifest),
        attempts=[0] * len(manifest),
        outputs=[""] * len(manifest),
        identities=_numbered(_hashes(manifest, _IDENTITY)),
        metadata=_metadata(manifest),
        settings=settings,
        followers=frozenset(manifest.followers.tolist()),
    )
    places = {identity: ordinal for ordinal, identity in enumerate(found.identities.tolist())}
    sources, planned = manifest.column("source"), manifest.column("output")
    aside = 0
    for row in ledger.decisive():
        old = dict(zip(DECISIVE, row, strict=True))
        aside = min(aside, old["ordinal"])
        ordinal = places.pop(old["identity"], None)
        if ordinal is None:
            if old["ordinal"] >= 0:
                aside -= 1
                found.moves.append((old["ordinal"], aside))
            continue
        if ordinal != old["ordinal"]:
            found.moves.append((old["ordinal"], ordinal))
        found.attempts[ordinal] = old["attempt"]
        found.outputs[ordinal] = old["output"] or "" if old["status"] == "converted" else ""
        place, before = planned[ordinal], old["output"] or ""
        same_place = place == before if place else bool(_BY_UIDS.fullmatch(before))
        unchanged = old["metadata"] == found.metadata[ordinal] and same_place
        found.reasons[ordinal] = _reason(
            old, settings, f"{folders[0]}/{sources[ordinal]}", folders[1], unchanged=unchanged
        )
    for members in manifest.frames.values():  # where one frame is not done, the object is not
        if reason := next((found.reasons[ordinal] for ordinal in members if found.reasons[ordinal]), DONE):
            for ordinal in members:
                found.reasons[ordinal] = reason
    return found


def _reason(old: dict[str, Any], settings: str, source: str, out: str, *, unchanged: bool) -> str:
    if old["status"] != "converted":
        return FAILED
    if old["schema_number"] != OUTPUT_SCHEMA:
        return SCHEMA
    if old["settings"] != settings:
        return SETTINGS
    if not unchanged:
        return METADATA
    try:
        status = os.stat(source)
    except OSError:
        return SOURCE
    if (status.st_size, status.st_mtime_ns) != (old["source_size_bytes"], old["source_mtime_ns"]):
        return SOURCE
    return _output_reason(old, f"{out}/{old['output']}")


def _output_reason(old: dict[str, Any], path: str) -> str:
    try:
        status = os.stat(path)
    except OSError:
        return MISSING
    if status.st_size != old["output_size_bytes"]:
        return ALTERED
    if status.st_mtime_ns == old["output_mtime_ns"]:
        return DONE
    # A copied folder has new times: only the content tells.
    try:
        with open(path, "rb") as file:
            same = hashlib.file_digest(file, "sha256").hexdigest() == old["output_sha256"]
    except OSError:
        return MISSING
    return DONE if same else ALTERED


def _hashes(manifest: Manifest, names: Iterable[str]) -> Hashes:
    """Return 64 bits for each row that depend on the named cells that are not empty, whatever the columns' order."""
    total = np.zeros(len(manifest), dtype=np.uint64)
    for name in names:
        column = manifest.column(name)
        bits = [_bits(f"{len(name)}:{name}={value}") if value else 0 for value in column.values]
        total += np.array(bits, dtype=np.uint64)[column.codes]  # wraps, which is what sums of hashes do
    return total


def _bits(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")


def _metadata(manifest: Manifest) -> npt.NDArray[np.int64]:
    names = [name for name in manifest.columns if name not in dictionary.RESERVED]
    hashes = _hashes(manifest, [*names, "sop_class", "study", "series", "sha256"])
    for members in manifest.frames.values():  # and which frames there are, in which order
        sources = manifest.column("source")
        hashes[list(members)] += np.uint64(_bits("\n".join(sources[ordinal] for ordinal in members)))
    return hashes.view(np.int64)


def _numbered(hashes: Hashes) -> npt.NDArray[np.int64]:
    """Return hashes with the second, third … of equal ones made different, in the manifest's order."""
    order = np.argsort(hashes, kind="stable")
    ordered = hashes[order]
    starts = np.r_[True, ordered[1:] != ordered[:-1]] if len(ordered) else np.zeros(0, dtype=bool)
    begins = np.maximum.accumulate(np.where(starts, np.arange(len(ordered)), 0)) if len(ordered) else starts
    result = hashes.copy()
    result[order] += (np.arange(len(ordered)) - begins).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return result.view(np.int64)
