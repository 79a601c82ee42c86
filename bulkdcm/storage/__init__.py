"""Where the bytes go."""

from bulkdcm.storage.files import TEMPORARY_SUFFIX, prepare, recognise, remove, remove_temporary, store, sync

__all__ = ["TEMPORARY_SUFFIX", "prepare", "recognise", "remove", "remove_temporary", "store", "sync"]
