"""The whole manifest checked before a pixel is read: every problem collected, none raised."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bulkdcm.manifest import agreement, cells, classes, frames, paths
from bulkdcm.model import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bulkdcm.manifest.table import Manifest
    from bulkdcm.model import IOD


def check(manifest: Manifest, images_root: str, iods: Mapping[str, IOD], refused: Mapping[str, str]) -> list[Problem]:
    """Return every problem of a resolved manifest, errors before warnings, each in the order of its lines.

    Parameters
    ----------
    manifest
        After `resolve`.
    images_root
        Real path of the image root.
    iods
        SOP Class UID to SOP class.
    refused
        Keyword or UID of a SOP class that is never written to the reason.
    """
    if not len(manifest):
        return [
            Problem(rule="the manifest has a header and no rows", remedy="Add a row for each image", severity="warning")
        ]
    found = [
        *cells.check(manifest),
        *classes.check(manifest, iods, refused),
        *agreement.check(manifest),
        *frames.check(manifest, iods),
        *paths.check_sources(manifest, images_root),
        *paths.check_outputs(manifest),
    ]
    return sorted(found, key=lambda problem: (problem.severity, problem.lines[:1]))
