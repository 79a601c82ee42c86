"""ZIP archives, as the central directory lists their members (PKWARE's APPNOTE 6.3, sections 4.3 to 4.5)."""

from __future__ import annotations

import stat
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bulkdcm import filesystem
from bulkdcm.stores.archives import key
from bulkdcm.stores.members import MOST_MEMBERS, DamagedError, Member, path_fault, pread, size_fault, too_many

if TYPE_CHECKING:
    from collections.abc import Iterator

_ENTRY = struct.Struct("<4s4B4HL2L5H2L")
_LOCAL = struct.Struct("<4s22x2H")
_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4s4x4x2x2x2L4Q")
_LOCATOR_BYTES = 20
_COMMENT_BYTES = 65_535
_NAME_BYTES = 65_535 * 3  # of name, extra fields and comment
_ENCRYPTED, _UTF8 = 0x1, 0x800
_STORED, _DEFLATED = 0, 8
_ZIP64, _UNICODE_PATH = 0x0001, 0x7075
_FULL16, _FULL32 = 0xFFFF, 0xFFFFFFFF
_UNIX = 3
_SHARED = "it shares its bytes with another member, or lies outside the archive"


@dataclass(frozen=True, slots=True)
class _Directory:
    """Where the list of members lies, how many it says it has, and by how much all offsets are off."""

    start: int
    size: int
    count: int
    shift: int


def members(descriptor: int, size_bytes: int) -> Iterator[Member]:
    """Yield the members of a ZIP archive.

    Parameters
    ----------
    descriptor, size_bytes
        Of the archive.

    Raises
    ------
    DamagedError
        If it has no list of members that can be read.
    """
    directory = _directory(descriptor, size_bytes)
    if directory.count > MOST_MEMBERS:
        raise too_many()
    found = [_member(entry, directory) for entry in _entries(descriptor, directory)]
    found.sort(key=lambda member: member.offset)
    ends = [member.offset for member in found[1:]] + [directory.start]
    for member, end in zip(found, ends, strict=True):
        if member.name.endswith("\0folder"):
            continue
        if member.offset + _LOCAL.size + member.packed > end and not member.fault:
            yield member._replace(fault=_SHARED)
        else:
            yield member


def _directory(descriptor: int, size_bytes: int) -> _Directory:
    at = max(0, size_bytes - _END.size - _COMMENT_BYTES)
    tail = filesystem.pread(descriptor, _END.size + _COMMENT_BYTES, at)
    place = tail.rfind(b"PK\5\6")
    while place >= 0 and place + _END.size + int.from_bytes(tail[place + 20 : place + 22], "little") > len(tail):
        place = tail.rfind(b"PK\5\6", 0, place)
    if place < 0:
        msg = "it is no ZIP archive, or its end is missing"
        raise DamagedError(msg)
    if len(tail) - place < _END.size:
        msg = "its end is cut off"
        raise DamagedError(msg)
    _, disk, first, _, count, size, offset, _ = _END.unpack_from(tail, place)
    end = at + place
    locator = filesystem.pread(descriptor, _LOCATOR_BYTES, end - _LOCATOR_BYTES) if end >= _LOCATOR_BYTES else b""
    if locator.startswith(b"PK\6\7"):
        end -= _LOCATOR_BYTES + _END64.size
        record = filesystem.pread(descriptor, _END64.size, max(0, end))
        if not record.startswith(b"PK\6\6") or len(record) < _END64.size:
            msg = "its ZIP64 record is damaged"
            raise DamagedError(msg)
        _, disk, first, _, count, size, offset = _END64.unpack(record)
    if disk or first:
        msg = "it is one of several parts of an archive. Join the parts"
        raise DamagedError(msg)
    start = end - size
    if start < offset:
        msg = "its list of members isn't where its end says"
        raise DamagedError(msg)
    return _Directory(start, size, count, start - offset)


def _entries(descriptor: int, directory: _Directory) -> Iterator[bytes]:
    """Yield the entries of the list, of which only a piece is held."""
    at, end, count = directory.start, directory.start + directory.size, 0
    piece, place = b"", 0
    while at < end:
        if (
            len(piece) - place < _ENTRY.size + _NAME_BYTES
            and at - directory.start + len(piece) - place < directory.size
        ):
            piece, place = filesystem.pread(descriptor, min(2**22, end - at), at), 0
        if len(piece) - place < _ENTRY.size or piece[place : place + 4] != b"PK\1\2":
            break
        length = _ENTRY.size + sum(struct.unpack_from("<3H", piece, place + 28))
        if len(piece) - place < length:
            break
        yield piece[place : place + length]
        place, at, count = place + length, at + length, count + 1
        if count > MOST_MEMBERS:
            raise too_many()
    if at != end or count != directory.count:
        msg = f"its list of members is damaged after {count:,} of {directory.count:,}"
        raise DamagedError(msg)


def _member(entry: bytes, directory: _Directory) -> Member:
    (_, _, system, _, _, flags, method, time, date, crc, packed, size, *lengths, disk, _, mode, offset) = (
        _ENTRY.unpack_from(entry)
    )
    name_length, extra_length, _ = lengths
    raw = entry[_ENTRY.size : _ENTRY.size + name_length]
    extra = dict(_extra(entry[_ENTRY.size + name_length :][:extra_length]))
    wide = extra.get(_ZIP64, b"")
    values = []
    for value in (size, packed, offset):
        if value == _FULL32 and len(wide) >= 8:
            value, wide = int.from_bytes(wide[:8], "little"), wide[8:]  # noqa: PLW2901  # the ZIP64 field has it
        values.append(value)
    size, packed, offset = values
    name = _name(raw, flags, extra.get(_UNICODE_PATH, b""))
    kind = stat.S_IFMT(mode >> 16) if system == _UNIX else 0
    return Member(
        name=f"{name}\0folder" if name.endswith("/") else key(name),
        offset=offset + directory.shift,
        packed=packed,
        size=size,
        crc=crc,
        deflated=method == _DEFLATED,
        version=f"{crc:08x}:{date:04x}{time:04x}",
        fault=_kind_fault(kind, flags, method, disk)
        or path_fault(name)
        or size_fault(size, packed)
        or ("its two sizes differ" if method == _STORED and size != packed else ""),
    )


def _extra(block: bytes) -> Iterator[tuple[int, bytes]]:
    place = 0
    while place + 4 <= len(block):
        kind, length = struct.unpack_from("<2H", block, place)
        yield kind, block[place + 4 : place + 4 + length]
        place += 4 + length


def _name(raw: bytes, flags: int, unicode_path: bytes) -> str:
    if unicode_path[:1] == b"\1" and unicode_path[1:5] == zlib.crc32(raw).to_bytes(4, "little"):
        return unicode_path[5:].decode("utf-8", "surrogateescape")
    return raw.decode("utf-8", "surrogateescape") if flags & _UTF8 else raw.decode("cp437")


def _kind_fault(kind: int, flags: int, method: int, disk: int) -> str:
    if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
        return "it is a link" if kind == stat.S_IFLNK else "it is a device, a pipe or a socket"
    if flags & _ENCRYPTED:
        return "it is encrypted"
    if method not in {_STORED, _DEFLATED}:
        return f"it is packed by method {method}; only Deflate and unpacked members are read"
    return "it lies in another part of the archive" if disk not in {0, _FULL16} else ""


def read(descriptor: int, member: Member) -> bytes:
    """Return the bytes of a member.

    Raises
    ------
    DamagedError
        If they aren't what the list says.
    """
    header = filesystem.pread(descriptor, _LOCAL.size, member.offset)
    if len(header) < _LOCAL.size or not header.startswith(b"PK\3\4"):
        msg = "it isn't where the archive's list says"
        raise DamagedError(msg)
    _, *lengths = _LOCAL.unpack(header)
    packed = pread(descriptor, member.packed, member.offset + _LOCAL.size + sum(lengths))
    data = _inflated(packed, member.size) if member.deflated else packed
    if len(packed) < member.packed or len(data) != member.size or zlib.crc32(data) != member.crc:
        msg = "its bytes are damaged: size or CRC-32 differ from the archive's list"
        raise DamagedError(msg)
    return data


def _inflated(packed: bytes, size: int) -> bytes:
    """Return what is packed, and no more than a byte more than `size`."""
    try:
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        return inflater.decompress(packed, size + 1)
    except zlib.error as error:
        msg = f"its bytes are damaged: {error}"
        raise DamagedError(msg) from error
