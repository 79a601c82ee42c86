"""What a run does for sources in archives, and what it leaves alone if there are none."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bulkdcm.attributes.dictionary import SOURCE
from bulkdcm.stores.with_archives import WithArchives

if TYPE_CHECKING:
    from bulkdcm.conversion.context import Context
    from bulkdcm.conversion.work import Work
    from bulkdcm.manifest import Manifest
    from bulkdcm.stores.catalogue import Catalogue


def sources(rows: Manifest, catalogue: Catalogue) -> WithArchives | None:
    """Return the store of sources, if any of them is in an archive."""
    if rows.unpacked is None:
        return None
    return WithArchives(
        root=catalogue.root,
        option="--images",
        follow_links=catalogue.follow_links,
        home=catalogue.home,
        files=rows.files,
    )


def settled(context: Context, rows: Manifest, catalogue: Catalogue) -> Context:
    """Return the context with what is known of archives where the next run will find it; under the run's lock.

    Raises
    ------
    StorageError
        If it can't be written there.
    """
    if rows.unpacked is None:
        return context
    catalogue.settle()
    return replace(context, sources=sources(rows, catalogue) or context.sources)


def unpack_all(rows: Manifest, catalogue: Catalogue, *, unlisted: bool = False) -> None:
    """Unpack what rows name in archives that can only be read in order.

    Parameters
    ----------
    rows, catalogue
        Of the run.
    unlisted
        Whether only archives are that aren't listed yet, so that it is known what is in them.
    """
    if rows.unpacked:
        catalogue.ready((name for name in rows.column(SOURCE).values if name not in rows.files), unlisted=unlisted)


def unpack(work: Work, catalogue: Catalogue) -> None:
    """Unpack what the rows that run name in archives that can only be read in order."""
    rows, source = work.rows, work.rows.column(SOURCE)
    if rows.unpacked:
        heads = (ordinal for level in work.levels for ordinal in level)
        catalogue.ready({source[one] for head in heads for one in rows.frames.get(head, (head,))} - rows.files)
