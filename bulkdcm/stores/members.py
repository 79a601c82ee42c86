"""What is known of one member of an archive, what makes one unusable, and how much of an archive is taken."""

from __future__ import annotations

from typing import NamedTuple

from bulkdcm import filesystem

MOST_MEMBERS = 2_000_000
MOST_BYTES = 2**32 - 2  # of one member: more can't become one Pixel Data element (PS3.5 7.1.2)
# What is small may be packed as tightly as it likes: an image of one colour is.
_SMALL_BYTES, _MOST_RATIO = 2**26, 100
_UNPACK = "Unpack it with a tool that you trust, and name the files"


class DamagedError(Exception):
    """An archive, or the rest of it, can't be had; the words say why."""


class Member(NamedTuple):
    """One member.

    Attributes
    ----------
    name
        Its path within the archive, as `archives.key` gives it.
    offset
        Where it begins: of a ZIP its local header, else its bytes.
    packed, size
        How many bytes it takes, and has.
    crc
        CRC-32 of its bytes; -1 if the archive doesn't have it.
    deflated
        Whether it is packed by Deflate; else it is stored as it is.
    version
        What changes if it does.
    fault
        Why it can't be used; empty if it can.
    """

    name: str
    offset: int
    packed: int
    size: int
    crc: int
    deflated: bool
    version: str
    fault: str = ""

    @property
    def has_header(self) -> bool:
        """Whether it has a header of its own before its bytes, and a CRC-32."""
        return self.crc >= 0


def path_fault(name: str) -> str:
    """Return what is wrong with a member's path as it is in the archive; empty if it stays within."""
    if name.startswith(("/", "\\")) or name[1:3] in {":/", ":\\"}:
        return "its path is absolute"
    if ".." in name.split("/"):
        return "its path leads out of the archive"
    return ""


def size_fault(size: int, packed: int) -> str:
    """Return why a member is too large; empty if it isn't."""
    if size > MOST_BYTES:
        return f"its {size} bytes are more than a DICOM object can hold (PS3.5 7.1.2)"
    if is_bomb(size, packed):
        return f"its {size} bytes are packed into {packed}, as in a decompression bomb"
    return ""


def is_bomb(size: int, packed: int) -> bool:
    """Whether so many bytes of so few are more than is unpacked."""
    return size > _SMALL_BYTES and size > _MOST_RATIO * packed


def too_many() -> DamagedError:
    """Return the error of an archive with more members than are taken."""
    return DamagedError(f"it has more than {MOST_MEMBERS:,} members. {_UNPACK}")


def bomb(size: int, packed: int) -> DamagedError:
    """Return the error of a stream that unpacks to far more than it takes."""
    return DamagedError(f"{packed:,} bytes of it unpack to {size:,}, as in a decompression bomb. {_UNPACK}")


def pread(descriptor: int, size: int, at: int) -> bytes:
    """Return so many bytes of a file, or as many as there are: the system gives no more than 2 GB at once."""
    data = filesystem.pread(descriptor, size, at)
    if len(data) == size:
        return data
    parts = [data]
    got = len(data)
    while parts[-1] and got < size:
        parts.append(filesystem.pread(descriptor, size - got, at + got))
        got += len(parts[-1])
    return b"".join(parts)


def rule_and_remedy(fault: str) -> tuple[str, str]:
    """Return what is wrong with an archive, and what to do."""
    rule, _, remedy = fault.partition(". ")
    return rule, remedy or "Fetch it again, or unpack it yourself and name the files"
