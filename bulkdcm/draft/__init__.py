"""First drafts for people without a manifest: one from a folder of images, or a mapping from a dataset's own CSV."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bulkdcm.draft.folder import draft_manifest, is_archive
from bulkdcm.draft.listing import is_folder
from bulkdcm.draft.new_file import write_new
from bulkdcm.draft.options import FolderOptions
from bulkdcm.draft.proposal import propose_mapping

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["FolderOptions", "draft_manifest", "init", "is_archive", "is_folder", "propose_mapping", "write_new"]


def init(images: str | Path, manifest: str | Path, **options: Any) -> tuple[int, list[str]]:
    """Write a manifest of the images in a folder; return how many there are, and what was left out, a line a kind.

    Parameters
    ----------
    images
        The image root.
    manifest
        The CSV to write; it must not be there yet.
    options
        As `FolderOptions` has them: ``init("png/", "m.csv", pattern="{PatientID}/{study}/{InstanceNumber}.png")``.

    Raises
    ------
    SettingsError
        If an option can't be used, or there is no image; nothing is written then.
    """
    return draft_manifest(images, manifest, FolderOptions(**options))
