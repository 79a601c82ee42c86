"""What an object refers to, as the ledger keeps it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bulkdcm.model import Reference


def digest(refers_to: Sequence[Reference]) -> str | None:
    """Return a digest of the objects that a row refers to, so that a change of one is noticed; None for none."""
    if not refers_to:
        return None
    text = "\n".join("\t".join(each) for each in refers_to)
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
