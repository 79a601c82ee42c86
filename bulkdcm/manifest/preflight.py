"""The whole manifest checked before a pixel is read: every problem collected, none raised."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bulkdcm.manifest import agreement, cells, classes, conditions, frames, lifetimes, paths, traces
from bulkdcm.problem import Problem, gathered

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from bulkdcm.manifest.table import Manifest
    from bulkdcm.model import IOD


def check(
    manifest: Manifest,
    iods: Mapping[str, IOD],
    refused: Mapping[str, str],
    *,
    reserved: Collection[str],
    sources: Iterable[Problem] = (),
) -> list[Problem]:
    """Return every problem of a resolved manifest, one a cause, errors before warnings, each in the order of its lines.

    Parameters
    ----------
    manifest
        After `resolve`.
    iods
        SOP Class UID to SOP class.
    refused
        Keyword or UID of a SOP class that is never written to the reason.
    reserved
        Names in the output folder that no row may have.
    sources
        Problems of the source paths, as `locate` found them.
    """
    if not len(manifest):
        return [
            Problem(rule="the manifest has a header and no rows", remedy="Add a row for each image", severity="warning")
        ]
    found = [
        *cells.check(manifest),
        *traces.check(manifest),
        *classes.check(manifest, iods, refused),
        *conditions.check(manifest, iods),
        *agreement.check(manifest),
        *lifetimes.check(manifest),
        *frames.check(manifest, iods),
        *sources,
    ]
    twice = {line for problem in found if problem.rule.startswith(agreement.TWICE) for line in problem.lines}
    found += paths.check_outputs(manifest, reserved, twice)
    return sorted(gathered(found), key=lambda problem: (problem.severity, problem.lines[:1]))
