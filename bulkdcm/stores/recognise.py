"""A folder in which outputs are known again, and none is written."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from bulkdcm.errors import StoreError
from bulkdcm.stores import folder, putting
from bulkdcm.stores.local import Local

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bulkdcm.stores.base import Buffer, Place, Stored


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognise(Local):
    """A folder of outputs whose ledger is made anew."""

    needs_sync: ClassVar[bool] = False
    writes: ClassVar[bool] = False
    recognises: ClassVar[bool] = True

    def put(self, place: Place, data: Sequence[Buffer]) -> Stored:
        """Return what is stored at a place if it is `data`.

        Raises
        ------
        StoreError
            If there is no such file, or it holds other bytes.
        """
        with folder.opened(self.root, self.identity) as opened:
            try:
                folder.check_inside(self.root, os.path.join(self.root, place.folder))
                os.stat(opened.below(place.name), dir_fd=opened.descriptor)
            except OSError as error:
                msg = f"{place.name}: {error.strerror}. `bulkdcm convert` will make it."
                raise StoreError(msg) from error
            found = putting.stored(place.name, data, 0)
            version = putting.same(opened, place.name, found)
        if version is None:
            msg = f"{place.name}: not what this row gives. `bulkdcm convert` will make it anew."
            raise StoreError(msg)
        return replace(found, version=version)
