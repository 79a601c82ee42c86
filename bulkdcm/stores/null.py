"""A store that keeps nothing: all of a run but its writing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from bulkdcm.stores import putting
from bulkdcm.stores.local import Local

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bulkdcm.stores.base import Buffer, Place, Stored


@dataclass(frozen=True, slots=True, kw_only=True)
class Null(Local):
    """A folder for the ledger and the report of a run, and no outputs."""

    needs_sync: ClassVar[bool] = False
    writes: ClassVar[bool] = False

    def put(self, place: Place, data: Sequence[Buffer]) -> Stored:
        """Return what a folder's would, writing nothing."""
        return putting.stored(place.name, data, 0)
