"""UIDs in words that people use."""

from __future__ import annotations

from functools import cache

from bulkdcm.printable import visible


@cache
def sop_class(uid: str) -> str:
    """Return the name of a SOP Class, without what all of them end with."""
    return _name(uid).removesuffix(" Storage").removesuffix(" Image") or uid


@cache
def transfer_syntax(uid: str) -> str:
    """Return the name of a transfer syntax, short enough for a column."""
    name = _name(uid)
    short = name.partition(":")[0].partition(" (")[0].removesuffix(" Image Compression").removesuffix(" Only")
    return short.strip() or uid


def _name(uid: str) -> str:
    from pydicom import config  # noqa: PLC0415  # takes a while, and only the page needs it
    from pydicom.uid import UID  # noqa: PLC0415  # as above

    return visible(UID(uid, config.IGNORE).name)
