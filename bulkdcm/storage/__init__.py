"""Where the bytes go."""

from bulkdcm.storage.files import (
    STAGED_SUFFIX,
    TEMPORARY_SUFFIX,
    Place,
    discard,
    recognise,
    settle,
    store,
    sync,
)
from bulkdcm.storage.folder import check_place, in_place, prepare
from bulkdcm.storage.removal import Removal, remove, remove_temporary

__all__ = [
    "STAGED_SUFFIX",
    "TEMPORARY_SUFFIX",
    "Place",
    "Removal",
    "check_place",
    "discard",
    "in_place",
    "prepare",
    "recognise",
    "remove",
    "remove_temporary",
    "settle",
    "store",
    "sync",
]
