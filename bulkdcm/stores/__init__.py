"""Where bytes come from and go: every store is what `base.Store` says, and passes `tests/unit/stores`."""

from bulkdcm.stores.base import Place, Removal, Stat, Store, Stored
from bulkdcm.stores.local import Local
from bulkdcm.stores.null import Null
from bulkdcm.stores.recognise import Recognise
from bulkdcm.stores.removal import is_staged, is_temporary

__all__ = ["Local", "Null", "Place", "Recognise", "Removal", "Stat", "Store", "Stored", "is_staged", "is_temporary"]
