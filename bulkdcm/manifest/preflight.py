"""The whole manifest checked before a pixel is read: every problem collected, none raised."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from bulkdcm.manifest import agreement, cells, classes, conditions, frames, lifetimes, paths, traces
from bulkdcm.manifest.resolve import resolve
from bulkdcm.manifest.sources import locate, with_slashes
from bulkdcm.problem import Problem, in_order
from bulkdcm.stores import archives

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from bulkdcm.manifest.table import Manifest
    from bulkdcm.model import Offer
    from bulkdcm.setting_parts import ManifestSettings
    from bulkdcm.stores.catalogue import Catalogue


class Disk(NamedTuple):
    """Where sources are.

    Attributes
    ----------
    root
        Real path of the image root.
    catalogue
        Of the archives under it.
    through
        Whether archives that can only be read in order are read, to know what is in them.
    """

    root: str
    catalogue: Catalogue
    through: bool = True


def checked(
    read: Manifest, settings: ManifestSettings, offer: Offer, *, disk: Disk, reserved: Collection[str]
) -> tuple[Manifest, list[Problem]]:
    """Return a manifest resolved, with each source by the name it has on the disk, and every problem of it.

    Parameters
    ----------
    read
        As `read` gives it.
    settings, offer, reserved
        As for `resolve` and `check`.
    disk
        Where sources are.
    """
    read, misspelt = cells.as_meant(with_slashes(read, disk.root))
    sources = read.column("source")
    files = archives.files(sources.values if sources.may_hold(archives.MARK) else (), disk.root)
    located, found = locate(
        resolve(read, settings, offer, files),
        disk.root,
        follow_links=settings.follow_links,
        catalogue=disk.catalogue,
        through=disk.through,
    )
    return located, check(
        located, offer, reserved=reserved, sources=[*read.notes, *misspelt, *found], inverts=settings.invert
    )


def check(
    manifest: Manifest,
    offer: Offer,
    *,
    reserved: Collection[str],
    sources: Iterable[Problem] = (),
    inverts: bool = False,
) -> list[Problem]:
    """Return every problem of a resolved manifest, one a cause, errors before warnings, each in the order of its lines.

    Parameters
    ----------
    manifest
        After `resolve`.
    offer
        What rows may ask for.
    reserved
        Names in the output folder that no row may have.
    sources
        Problems of the source paths, as `locate` found them, of names, and notes.
    inverts
        Whether the run inverts gray pixels.
    """
    if not len(manifest):
        return [
            Problem(rule="the manifest has a header and no rows", remedy="Add a row for each image", severity="warning")
        ]
    found = [
        *cells.check(manifest),
        *traces.check(manifest),
        *classes.check(manifest, offer, inverts=inverts),
        *conditions.check(manifest, offer),
        *agreement.check(manifest),
        *lifetimes.check(manifest),
        *frames.check(manifest, offer.classes),
        *sources,
    ]
    twice = {line for problem in found if problem.rule.startswith(agreement.TWICE) for line in problem.lines}
    found += paths.check_outputs(manifest, reserved, twice)
    return in_order(found)
