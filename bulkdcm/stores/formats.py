"""The archives that can be read, by their endings: how members are listed, and how their bytes are had."""

from __future__ import annotations

import os
from functools import partial
from typing import IO, TYPE_CHECKING, Protocol

from bulkdcm.stores import tars, zips
from bulkdcm.stores.archives import ending
from bulkdcm.stores.members import DamagedError, pread
from bulkdcm.stores.parquet_images import Table
from bulkdcm.stores.streams import Stream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bulkdcm.stores.members import Member


class Ordered(Protocol):
    """An archive that can only be read from its beginning to its end."""

    def members(self) -> Iterator[Member]:
        """Yield its members; `DamagedError` if they can't be had."""
        ...

    def data(self, member: Member) -> Iterator[bytes]:
        """Yield the bytes of the member that came last, in pieces; `DamagedError` if they can't be had."""
        ...


def _of_zip(file: IO[bytes], version: str) -> Iterator[Member]:
    del version  # a member has its own CRC-32
    return zips.members(file.fileno(), os.fstat(file.fileno()).st_size)


def _of_tar(file: IO[bytes], version: str) -> Iterator[Member]:
    return tars.members(tars.Forward(file, None), version)


_LISTS: dict[str, Callable[[IO[bytes], str], Iterator[Member]]] = {".zip": _of_zip, ".tar": _of_tar}

_ORDERED: dict[str, Callable[[IO[bytes], str, str], Ordered]] = {
    ".tar.gz": Stream,
    ".tgz": Stream,
    ".tar.zst": Stream,
    ".parquet": lambda file, _, version: Table(file, version),
}


def is_ordered(archive: str) -> bool:
    """Whether an archive can only be read from its beginning to its end."""
    return ending(archive) in _ORDERED


def members(file: IO[bytes], archive: str, version: str) -> Iterator[Member]:
    """Yield the members of an archive whose members can be read by themselves.

    Parameters
    ----------
    file
        Of the archive, open.
    archive
        Its name.
    version
        Of the file.

    Raises
    ------
    DamagedError
        If the rest of them can't be had.
    """
    try:
        yield from _LISTS[ending(archive)](file, version)
    except OSError as error:
        msg = f"it can't be read: {error.strerror or error}"
        raise DamagedError(msg) from error


def ordered(file: IO[bytes], archive: str, version: str) -> Ordered:
    """Return an archive that is read in order; the parameters are as above."""
    return _ORDERED[ending(archive)](file, ending(archive), version)


def contents(file: IO[bytes], archive: str, version: str) -> Iterator[tuple[Member, Callable[[], Iterator[bytes]]]]:
    """Yield the members of any archive, each with what gives its bytes in pieces, before the next is asked for.

    Raises
    ------
    DamagedError
        As above, and as `read` does.
    """
    if is_ordered(archive):
        stream = ordered(file, archive, version)
        for member in stream.members():
            yield member, partial(stream.data, member)
        return
    for member in members(file, archive, version):
        yield member, partial(_whole, file.fileno(), member)


def _whole(descriptor: int, member: Member) -> Iterator[bytes]:
    yield read(descriptor, member)


def read(descriptor: int, member: Member) -> bytes:
    """Return the bytes of a member that can be read by itself, from its archive or from where it was unpacked to.

    Raises
    ------
    DamagedError
        If they aren't what the list says.
    """
    if member.has_header:
        return zips.read(descriptor, member)
    data = pread(descriptor, member.size, member.offset)
    if len(data) < member.size:
        msg = "the archive ends in the middle of it"
        raise DamagedError(msg)
    return data
