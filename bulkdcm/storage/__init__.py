"""Where the bytes go."""

from bulkdcm.storage.files import TEMPORARY_SUFFIX, discard, prepare, recognise, remove, remove_temporary, store, sync

__all__ = ["TEMPORARY_SUFFIX", "discard", "prepare", "recognise", "remove", "remove_temporary", "store", "sync"]
