"""What is left to do: the manifest against the ledger and the files, decided for all rows at once.

A row is done when its last outcome is a converted file, its fingerprint is the same, and the file is there as recorded.
The fingerprint: the row's cells, the source's size and modification time, the settings and the output schema.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import metadata as packages
from typing import TYPE_CHECKING, Any

import numpy as np

from bulkdcm import __version__, iods
from bulkdcm.attributes import conditions, dictionary
from bulkdcm.ledger_schema import DECISIVE
from bulkdcm.uids import normal_form

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import numpy.typing as npt

    from bulkdcm.ledger import Ledger
    from bulkdcm.manifest import Manifest

    Hashes = npt.NDArray[np.uint64]

# Raised only when the bytes of an output change for the same row and settings, not with every release.
OUTPUT_SCHEMA = 1
CALLED_UP_SCHEMA = 2  # of rows whose attributes call up others; 2: these are written, empty where nothing is known
RESTAMP_SCHEMA = 2  # of re-stamped files; 2: two copies of one file get two SOP Instance UIDs

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
DONE, GONE, UNCHANGED = "", "gone from the manifest", "failed before, unchanged"
# Where a failure comes from the source, the row and the release alone, so that it would be the same again.
_CERTAIN = {("decode", "PixelError"), ("build", "AttributeValueError"), ("encode", "EncodeError")}
_DECODERS = ("Pillow", "kornia-rs", "numpy", "pydicom", "imagecodecs")
_BY_UIDS = re.compile(r"[0-9.]+/[0-9.]+/[0-9.]+\.dcm")  # where the layout takes the name from the UIDs
_IDENTITY = ("source", "instance")


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What a manifest is compared on.

    Attributes
    ----------
    settings
        Digest of the settings that change bytes.
    images, out
        The image root and the output folder.
    check_sources
        Whether sources are compared by their SHA-256.
    acceptance
        The settings that decide whether a source is refused.
    """

    settings: str
    images: str
    out: str
    check_sources: bool = False
    acceptance: str = ""


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
        For each row, the output it has from an earlier run, also where it failed since; empty where there is none.
    schemas
        For each row, the number of the rules that its bytes follow.
    followers
        Rows that are second, third … frame of an object, which runs as its first.
    moves
        (old, new) ordinals of rows that moved; the new one is negative for rows that are no longer in the manifest.
    orphaned
        Outputs of rows that are no longer in the manifest.
    missing
        Rows converted before whose source isn't there.
    exchanged
        Rows converted before whose source holds other bytes now, or may; only where the plan was to look.
    before
        How many rows have been converted before.
    touched
        Modification time in ns of sources that have another than before and the same bytes.
    """

    reasons: list[str]
    attempts: list[int]
    outputs: list[str]
    identities: npt.NDArray[np.int64]
    metadata: npt.NDArray[np.int64]
    schemas: npt.NDArray[np.int64]
    settings: str
    followers: frozenset[int] = frozenset()
    moves: list[tuple[int, int]] = field(default_factory=list)
    orphaned: set[str] = field(default_factory=set)
    missing: list[int] = field(default_factory=list)
    exchanged: list[int] = field(default_factory=list)
    before: int = 0
    touched: dict[int, int] = field(default_factory=dict)

    def todo(self, *, retry_failed: bool | None) -> list[int]:
        """Return the ordinals of the rows to run; of several frames of one object, the first."""
        left = {None: {DONE, UNCHANGED}, True: {DONE}, False: {DONE, UNCHANGED, FAILED}}[retry_failed]
        return [o for o, reason in enumerate(self.reasons) if reason not in left and o not in self.followers]

    def fingerprint(self, ordinal: int) -> dict[str, Any]:
        """Return what the ledger keeps of a row to know it again."""
        return {
            "identity": int(self.identities[ordinal]),
            "metadata": int(self.metadata[ordinal]),
            "schema_number": int(self.schemas[ordinal]),
            "settings": self.settings,
            "reason": FAILED if self.reasons[ordinal] == UNCHANGED else self.reasons[ordinal],
            "attempt": self.attempts[ordinal] + 1,
        }


@lru_cache(maxsize=2)
def release(acceptance: str = "") -> str:
    """Return the releases, and the settings, that decide whether a source is refused."""
    found = [f"bulkdcm {__version__}"]
    for name in _DECODERS:
        with contextlib.suppress(packages.PackageNotFoundError):
            found.append(f"{name} {packages.version(name)}")
    return ", ".join([*found, *([acceptance] if acceptance else [])])


def _schemas(manifest: Manifest) -> npt.NDArray[np.int64]:
    """Return the schema of each row's output: a change of bytes runs those rows again that it concerns."""
    restamped = manifest.column("sop_class").where(lambda uid: uid in iods.BY_UID and iods.BY_UID[uid].restamp)
    calling = np.zeros(len(manifest), dtype=bool)
    for name in conditions.calling() & manifest.columns.keys():
        calling |= manifest.column(name).where(bool)
    return np.where(restamped, RESTAMP_SCHEMA, np.where(calling, CALLED_UP_SCHEMA, OUTPUT_SCHEMA)).astype(np.int64)


def plan(manifest: Manifest, ledger: Ledger | None, basis: Basis) -> Plan:
    """Return the plan of a run.

    Parameters
    ----------
    manifest
        Resolved.
    ledger
        With the outcomes of earlier runs; None where there were none.
    basis
        What the two are compared on.
    """
    found = Plan(
        reasons=[NEW] * len(manifest),
        attempts=[0] * len(manifest),
        outputs=[""] * len(manifest),
        identities=_numbered(_hashes(manifest, _IDENTITY, normal_form)),
        metadata=_metadata(manifest),
        schemas=_schemas(manifest),
        settings=basis.settings,
        followers=frozenset(manifest.followers.tolist()),
    )
    if ledger is None:
        return found
    places = _places(manifest, found)
    before = _Before(ledger, basis)
    aside = 0
    for row in ledger.decisive():
        old = dict(zip(DECISIVE, row, strict=True))
        aside = min(aside, old["ordinal"])
        ordinal = places.pop(old["identity"], None)
        if ordinal is None:
            if old["output"]:
                found.orphaned.add(old["output"])
            if old["ordinal"] >= 0:
                aside -= 1
                found.moves.append((old["ordinal"], aside))
            continue
        if ordinal != old["ordinal"]:
            found.moves.append((old["ordinal"], ordinal))
        _compare(manifest, found, ordinal, old, before)
    for members in manifest.frames.values():  # where one frame is not done, the object is not
        reasons = [found.reasons[ordinal] for ordinal in members]
        if reason := next((reason for reason in reasons if reason not in {DONE, UNCHANGED}), max(reasons)):
            for ordinal in members:
                found.reasons[ordinal] = reason
    return found


def _places(manifest: Manifest, found: Plan) -> dict[int, int]:
    """Return the ordinal of each identity; a row is known by the form its names had in an older release, too."""
    places = {identity: ordinal for ordinal, identity in enumerate(found.identities.tolist())}
    as_written = _numbered(_hashes(manifest, _IDENTITY))
    for ordinal in np.flatnonzero(as_written != found.identities).tolist():
        places.setdefault(int(as_written[ordinal]), ordinal)
    return places


class _Before:
    """What earlier runs knew beyond what decides; read only where it is asked for."""

    def __init__(self, ledger: Ledger, basis: Basis) -> None:
        self.basis = basis
        self.release = release(basis.acceptance)
        self.failures = ledger.failures()
        self.digests = ledger.source_digests() if basis.check_sources else {}

    def certain(self, ordinal: int) -> bool:
        """Whether a failed row would fail again the same way if its source and metadata are the same."""
        stage, error, release_then = self.failures.get(ordinal, ("", "", ""))
        return (stage, error) in _CERTAIN and release_then == self.release


def _compare(manifest: Manifest, found: Plan, ordinal: int, old: dict[str, Any], before: _Before) -> None:
    """Note of one row what it has and why it runs."""
    source = f"{before.basis.images}/{manifest.column('source')[ordinal]}"
    planned, output = manifest.column("output")[ordinal], old["output"] or ""
    found.attempts[ordinal], found.outputs[ordinal] = old["attempt"], output
    same_place = planned == output if planned else bool(_BY_UIDS.fullmatch(output))
    same_metadata = old["metadata"] == found.metadata[ordinal]
    try:
        status = os.stat(source)
    except OSError:
        status = None
    same_source = status is not None and (status.st_size, status.st_mtime_ns) == (
        old["source_size_bytes"],
        old["source_mtime_ns"],
    )
    if old["status"] != "converted":
        same = old["schema_number"] == found.schemas[ordinal] and old["settings"] == found.settings and same_metadata
        found.reasons[ordinal] = UNCHANGED if same and same_source and before.certain(old["ordinal"]) else FAILED
        return
    found.before += 1
    if status is None:
        found.missing.append(ordinal)
    elif before.basis.check_sources:
        at_once = same_source
        same_source = status.st_size == old["source_size_bytes"] and _digest(source) == before.digests.get(
            old["ordinal"]
        )
        if not same_source:
            found.exchanged.append(ordinal)
        elif not at_once:
            found.touched[ordinal] = status.st_mtime_ns
    if old["schema_number"] != found.schemas[ordinal] and same_metadata:  # else the schema may differ with the row
        reason = SCHEMA
    elif old["settings"] != found.settings:
        reason = SETTINGS
    elif not (same_metadata and same_place):
        reason = METADATA
    elif not same_source:
        reason = SOURCE
    else:
        reason = _output_reason(old, f"{before.basis.out}/{output}")
    found.reasons[ordinal] = reason


def _digest(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def _output_reason(old: dict[str, Any], path: str) -> str:
    try:
        status = os.stat(path)
    except OSError:
        return MISSING
    if status.st_size != old["output_size_bytes"]:
        return ALTERED
    if status.st_mtime_ns == old["output_mtime_ns"]:
        return DONE
    return DONE if _digest(path) == old["output_sha256"] else ALTERED  # a copied folder has new times


def _hashes(manifest: Manifest, names: Iterable[str], form: Callable[[str], str] = str) -> Hashes:
    """Return 64 bits for each row that depend on the named cells that are not empty, whatever the columns' order."""
    total = np.zeros(len(manifest), dtype=np.uint64)
    for name in names:
        column = manifest.column(name)
        bits = [_bits(f"{len(name)}:{name}={form(value)}") if value else 0 for value in column.values]
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
