"""Where the bytes go."""

from bulkdcm.storage.files import TEMPORARY_SUFFIX, prepare, store

__all__ = ["TEMPORARY_SUFFIX", "prepare", "store"]
