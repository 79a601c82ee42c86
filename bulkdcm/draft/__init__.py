"""First drafts for people without a manifest: one from a folder of images, or a mapping from a dataset's own CSV."""

from bulkdcm.draft.folder import draft_manifest, is_archive
from bulkdcm.draft.new_file import write_new
from bulkdcm.draft.options import FolderOptions
from bulkdcm.draft.proposal import propose_mapping

__all__ = ["FolderOptions", "draft_manifest", "is_archive", "propose_mapping", "write_new"]
