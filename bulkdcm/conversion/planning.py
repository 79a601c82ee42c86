"""What is left to do of a manifest, decided for all rows at once."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from bulkdcm.conversion import dependencies
from bulkdcm.conversion.comparison import Comparison
from bulkdcm.conversion.fingerprints import Fingerprints
from bulkdcm.conversion.plan import DONE, NEW, REFERENCE, UNCHANGED, Plan
from bulkdcm.conversion.references import digest

if TYPE_CHECKING:
    from bulkdcm.conversion.context import Context
    from bulkdcm.ledger.ledger import Ledger
    from bulkdcm.manifest import Manifest

_BLOCK = 1024  # rows looked at together


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
        With the outcomes of earlier runs; None if there were none.
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
        known=Fingerprints(manifest),
        followers=frozenset(manifest.followers.tolist()),
        depends=depends or {},
    )
    if ledger is None:
        return found
    comparison = Comparison(manifest, found, ledger, context)
    comparison.by_content = compare_sources
    rows = ledger.decisive()
    while block := list(islice(rows, _BLOCK)):
        comparison.take(block)
    _compare_references(manifest, found, ledger, comparison.was)
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
