"""What unpacks a compressed archive, read once from its beginning to its end."""

from __future__ import annotations

import gzip
import importlib
from typing import IO, TYPE_CHECKING, Any

from bulkdcm.stores import tars
from bulkdcm.stores.members import DamagedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bulkdcm.stores.members import Member
    from bulkdcm.stores.tars import Readable

_PIECE = 2**20
_WINDOW_BYTES = 2**27  # of Zstandard: more memory than this is taken only if it is asked for
_NO_ZSTD = "it is packed by Zstandard, and the package for it isn't there. Install it: pip install bulkdcm[archives]"


class Stream:
    """A compressed TAR archive.

    Parameters
    ----------
    file
        Of it, open.
    ending
        Of its name, which says how it is packed.
    version
        Of the archive.
    """

    def __init__(self, file: IO[bytes], ending: str, version: str) -> None:
        self._forward = tars.Forward(file, _UNPACKS[ending](file))
        self._version = version

    def members(self) -> Iterator[Member]:
        """Yield its members, each with its offset in what is unpacked.

        Raises
        ------
        DamagedError
            If something is wrong up to its very end, where its checksum is.
        """
        yield from tars.members(self._forward, self._version)
        try:
            while self._forward.take(_PIECE):
                pass
        except (OSError, EOFError, ValueError) as error:
            msg = f"it is damaged: {error}"
            raise DamagedError(msg) from error

    def data(self, member: Member) -> Iterator[bytes]:
        """Yield the bytes of the member that came last, in pieces.

        Raises
        ------
        DamagedError
            If they end before.
        """
        left = member.size
        while left:
            try:
                piece = self._forward.take(min(_PIECE, left))
            except (OSError, EOFError, ValueError) as error:
                msg = f"it is damaged: {error}"
                raise DamagedError(msg) from error
            if not piece:
                msg = "it ends in the middle of a member"
                raise DamagedError(msg)
            left -= len(piece)
            yield piece


def _gzip(file: IO[bytes]) -> Readable:
    return gzip.GzipFile(fileobj=file, mode="rb")


class _Zstandard:
    """What Zstandard unpacks, its errors as those of the system."""

    def __init__(self, reader: Readable, error: type[Exception]) -> None:
        self._reader, self._error = reader, error

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, none at the end."""
        try:
            return bytes(self._reader.read(size))
        except self._error as error:
            raise OSError(str(error)) from error


def _zstd(file: IO[bytes]) -> Readable:
    try:
        package: Any = importlib.import_module("zstandard")
    except ImportError:
        return _zstd_of_python(file)
    unpacks = package.ZstdDecompressor(max_window_size=_WINDOW_BYTES)
    return _Zstandard(unpacks.stream_reader(file, read_across_frames=True), package.ZstdError)


def _zstd_of_python(file: IO[bytes]) -> Readable:
    """Return what Python itself unpacks, from 3.14 on: the package has no wheels for every Python."""
    try:
        own: Any = importlib.import_module("compression.zstd")
    except ImportError as error:
        raise DamagedError(_NO_ZSTD) from error
    window = {own.DecompressionParameter.window_log_max: _WINDOW_BYTES.bit_length() - 1}
    return _Zstandard(own.ZstdFile(file, options=window), own.ZstdError)


_UNPACKS = {".tar.gz": _gzip, ".tgz": _gzip, ".tar.zst": _zstd}
