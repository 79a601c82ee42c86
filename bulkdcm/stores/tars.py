"""TAR archives, plain or as a stream that is unpacked in order. The headers are tarfile's, the bytes are read here."""

from __future__ import annotations

import tarfile
import zlib
from typing import IO, TYPE_CHECKING, Protocol

from bulkdcm.stores.archives import key
from bulkdcm.stores.members import MOST_MEMBERS, DamagedError, Member, bomb, is_bomb, path_fault, size_fault, too_many

if TYPE_CHECKING:
    from collections.abc import Iterator

_BLOCK = 512
_PIECE = 2**20
_LONGEST_HEADER = 2**22  # of what goes before a member: its long name, its extended attributes


class Readable(Protocol):
    """What a stream of packed bytes is read by."""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, none at the end."""
        ...


class Forward:
    """A file that is read from its beginning to its end, as tarfile asks for it.

    Parameters
    ----------
    file
        The archive.
    unpacked
        What unpacks it; None if it is plain.
    """

    def __init__(self, file: IO[bytes], unpacked: Readable | None) -> None:
        self._file, self._unpacked = file, unpacked
        self._at = 0
        self.last = b""
        """What the last read of a header gave."""

    def tell(self) -> int:
        """Return how far it is read."""
        return self._at

    def seek(self, place: int) -> None:
        """Go forward."""
        if self._unpacked is None:
            self._at = self._file.seek(place)
        while self._at < place:
            if not self.take(min(_PIECE, place - self._at)):
                return

    def read(self, size: int) -> bytes:
        """Return part of a header."""
        if size > _LONGEST_HEADER:
            msg = f"a header of {size:,} bytes is damaged"
            raise DamagedError(msg)
        parts = [b""]
        while size and (part := self.take(size)):
            parts.append(part)
            size -= len(part)
        self.last = b"".join(parts)
        return self.last

    def take(self, size: int) -> bytes:
        """Return up to so many bytes, none at the end."""
        data = (self._unpacked or self._file).read(size)
        self._at += len(data)
        if self._unpacked is not None and is_bomb(self._at, self._file.tell()):
            raise bomb(self._at, self._file.tell())
        return data


def members(forward: Forward, version: str) -> Iterator[Member]:
    """Yield the members of a TAR archive; after each its bytes may be taken from `forward`.

    Parameters
    ----------
    forward
        The archive, at its beginning.
    version
        Of the archive: a member's bytes have no checksum of their own.

    Raises
    ------
    DamagedError
        If the rest of it can't be had.
    """
    try:
        with tarfile.open(fileobj=forward, mode="r:", encoding="utf-8", errors="surrogateescape") as archive:  # type: ignore[call-overload]  # it needs no more of a file
            count = 0
            while (found := archive.next()) is not None:
                archive.members.clear()  # else all of them are held
                count += 1
                if count > MOST_MEMBERS:
                    raise too_many()
                if not found.isdir():
                    yield _member(found, version)
    except DamagedError:
        raise
    except (tarfile.TarError, zlib.error, OSError, EOFError, ValueError, OverflowError, RecursionError) as error:
        msg = f"it is damaged at byte {forward.tell():,}: {error}"
        raise DamagedError(msg) from error
    if forward.last.strip(b"\0") or len(forward.last) not in {0, _BLOCK}:
        msg = f"it is damaged at byte {forward.tell():,}: no header of a member"
        raise DamagedError(msg)


def _member(found: tarfile.TarInfo, version: str) -> Member:
    return Member(
        name=key(found.name),
        offset=found.offset_data,
        packed=found.size,
        size=found.size,
        crc=-1,
        deflated=False,
        version=f"{found.mtime}:{version}",
        fault=_kind_fault(found) or path_fault(found.name) or size_fault(found.size, found.size),
    )


def _kind_fault(found: tarfile.TarInfo) -> str:
    if found.issym() or found.islnk():
        return "it is a link"
    if found.issparse():
        return "it is a sparse file"
    return "" if found.isreg() else "it is a device, a pipe or of an unknown kind"
