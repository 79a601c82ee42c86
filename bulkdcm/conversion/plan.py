"""What is left to do: the manifest against the ledger and the files, decided for all rows at once.

A row is done when its last outcome is a converted file, its fingerprint is the same, and the file is there as recorded.
The fingerprint: the row's cells, the source's size and modification time, the settings and the output schema.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bulkdcm.conversion import dependencies, fingerprints
from bulkdcm.conversion.references import digest
from bulkdcm.ledger.schema import DECISIVE

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt

    from bulkdcm.conversion.context import Context
    from bulkdcm.ledger.ledger import Ledger
    from bulkdcm.manifest import Manifest
    from bulkdcm.stores import Store


NEW, FAILED, SETTINGS, SCHEMA, METADATA, SOURCE, MISSING, ALTERED, REFERENCE = (
    "new",
    "failed before",
    "settings changed",
    "schema changed",
    "metadata changed",
    "source changed",
    "output missing",
    "output altered",
    "reference changed",
)
DONE, GONE, UNCHANGED = "", "gone from the manifest", "failed before, unchanged"
# Where a failure comes from the source, the row and the release alone, so that it would be the same again.
_CERTAIN = {("decode", "PixelError"), ("build", "AttributeValueError"), ("encode", "EncodeError")}
_BY_UIDS = re.compile(r"[0-9.]+/[0-9.]+/[0-9.]+\.dcm")  # where the layout takes the name from the UIDs


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
    depends
        Rows that other rows' objects refer to, by the latter; only of kinds that refer.
    touched
        Version of sources that have another than before and the same bytes.
    """

    reasons: list[str]
    attempts: list[int]
    outputs: list[str]
    identities: npt.NDArray[np.int64]
    metadata: npt.NDArray[np.int64]
    schemas: npt.NDArray[np.int64]
    followers: frozenset[int] = frozenset()
    moves: list[tuple[int, int]] = field(default_factory=list)
    orphaned: set[str] = field(default_factory=set)
    missing: list[int] = field(default_factory=list)
    exchanged: list[int] = field(default_factory=list)
    before: int = 0
    depends: dict[int, tuple[int, ...]] = field(default_factory=dict)
    touched: dict[int, int | str] = field(default_factory=dict)

    def todo(self, *, retry_failed: bool | None) -> list[int]:
        """Return the ordinals of the rows to run; of several frames of one object, the first."""
        left = {None: {DONE, UNCHANGED}, True: {DONE}, False: {DONE, UNCHANGED, FAILED}}[retry_failed]
        return [o for o, reason in enumerate(self.reasons) if reason not in left and o not in self.followers]

    def fingerprints(self, ordinals: Sequence[int]) -> tuple[list[int], list[int], list[int], list[str], list[int]]:
        """Return what the ledger keeps of some rows to know them again, as columns in the order of `Fingerprint`."""
        identities, hashes, schemas = (
            numbers[ordinals].tolist() for numbers in (self.identities, self.metadata, self.schemas)
        )
        reasons = [self.reasons[ordinal] for ordinal in ordinals]
        told = [FAILED if reason == UNCHANGED else reason for reason in reasons]
        return identities, hashes, schemas, told, [self.attempts[ordinal] + 1 for ordinal in ordinals]


def plan_of(
    manifest: Manifest,
    ledger: Ledger | None,
    context: Context,
    depends: dependencies.Depends | None = None,
    *,
    compare_sources: bool = False,
) -> Plan:
    """Return the plan of a run.

    Parameters
    ----------
    manifest
        Resolved.
    ledger
        With the outcomes of earlier runs; None where there were none.
    context
        Of the run: the stores and settings that the two are compared on.
    depends
        Rows that others refer to, as `dependencies.found` gives them.
    compare_sources
        Whether sources are compared by their SHA-256, not by size and version.
    """
    found = Plan(
        reasons=[NEW] * len(manifest),
        attempts=[0] * len(manifest),
        outputs=[""] * len(manifest),
        identities=fingerprints.identities(manifest),
        metadata=fingerprints.metadata(manifest),
        schemas=fingerprints.schemas(manifest),
        followers=frozenset(manifest.followers.tolist()),
        depends=depends or {},
    )
    if ledger is None:
        return found
    places = fingerprints.places(manifest, found.identities)
    before = _Before(ledger, context, compare_sources=compare_sources)
    linked = set(dependencies.ordered(found.depends))
    was: dict[int, int] = {}
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
        if ordinal in linked:
            was[ordinal] = old["ordinal"]
        _compare(manifest, found, ordinal, old, before)
    _compare_references(manifest, found, ledger, was)
    for members in manifest.frames.values():  # where one frame is not done, the object is not
        reasons = [found.reasons[ordinal] for ordinal in members]
        if reason := next((reason for reason in reasons if reason not in {DONE, UNCHANGED}), max(reasons)):
            for ordinal in members:
                found.reasons[ordinal] = reason
    return found


def _compare_references(manifest: Manifest, found: Plan, ledger: Ledger, was: dict[int, int]) -> None:
    """Run rows again whose objects refer to others that are made anew, or have been since; `was`: their old ordinals."""
    for ordinal in dependencies.ordered(found.depends):
        others = found.depends.get(ordinal, ())
        if not others or found.reasons[ordinal] != DONE:
            continue
        same = all(found.reasons[other] == DONE for other in others) and ordinal in was
        if same:
            references = dependencies.references(manifest, others, ledger.objects([was[other] for other in others]))
            (own,) = ledger.objects([was[ordinal]])
            same = own is not None and own.referenced == digest(references)
        if not same:
            found.reasons[ordinal] = REFERENCE


class _Before:
    """What earlier runs knew beyond what decides; read only where it is asked for."""

    def __init__(self, ledger: Ledger, context: Context, *, compare_sources: bool) -> None:
        self.context = context
        self.compare_sources = compare_sources
        self.failures = ledger.failures()
        self.digests = ledger.source_digests() if compare_sources else {}

    def certain(self, ordinal: int) -> bool:
        """Whether a failed row would fail again the same way if its source and metadata are the same."""
        stage, error, release_then = self.failures.get(ordinal, ("", "", ""))
        return (stage, error) in _CERTAIN and release_then == self.context.release


def _compare(manifest: Manifest, found: Plan, ordinal: int, old: dict[str, Any], before: _Before) -> None:
    """Note of one row what it has and why it runs."""
    context = before.context
    source = manifest.column("source")[ordinal]
    planned, output = manifest.column("output")[ordinal], old["output"] or ""
    found.attempts[ordinal], found.outputs[ordinal] = old["attempt"], output
    same_place = planned == output if planned else bool(_BY_UIDS.fullmatch(output))
    same_metadata = old["metadata"] == found.metadata[ordinal]
    now = context.sources.stat(source)
    same_source = now == (old["source_size_bytes"], old["source_version"])
    if old["status"] != "converted":
        same = old["schema_number"] == found.schemas[ordinal] and old["settings"] == context.basis and same_metadata
        found.reasons[ordinal] = UNCHANGED if same and same_source and before.certain(old["ordinal"]) else FAILED
        return
    found.before += 1
    if now is None:
        found.missing.append(ordinal)
    elif before.compare_sources:
        at_once = same_source
        same_source = now.size_bytes == old["source_size_bytes"] and _digest(
            context.sources, source
        ) == before.digests.get(old["ordinal"])
        if not same_source:
            found.exchanged.append(ordinal)
        elif not at_once:
            found.touched[ordinal] = now.version
    if old["schema_number"] != found.schemas[ordinal] and same_metadata:  # else the schema may differ with the row
        reason = SCHEMA
    elif old["settings"] != context.basis:
        reason = SETTINGS
    elif not (same_metadata and same_place):
        reason = METADATA
    elif not same_source:
        reason = SOURCE
    else:
        reason = _output_reason(old, context.outputs, output)
    found.reasons[ordinal] = reason


def _digest(store: Store, name: str) -> str:
    try:
        with store.open(name) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]  # any file that is read
    except OSError:
        return ""


def _output_reason(old: dict[str, Any], outputs: Store, output: str) -> str:
    found = outputs.stat(output)
    if found is None:
        return MISSING
    if found.size_bytes != old["output_size_bytes"]:
        return ALTERED
    if found.version == old["output_version"]:
        return DONE
    return DONE if _digest(outputs, output) == old["output_sha256"] else ALTERED  # a copied folder has new times
