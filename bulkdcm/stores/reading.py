"""A file of a folder to its bytes: opened first, then checked by its descriptor, so that nothing can be swapped between."""

from __future__ import annotations

import hashlib
import os
import stat

from bulkdcm import names
from bulkdcm.errors import ReadError
from bulkdcm.model import Source
from bulkdcm.stores.members import MOST_BYTES

_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_PIECE_BYTES = 2**20


def read(root: str, name: str, *, option: str, follow_links: bool) -> Source:
    """Return the bytes of the file `name` under `root`.

    Parameters
    ----------
    root
        Real path of the folder.
    name
        Relative to `root`, with forward slashes.
    option
        That names the root, for messages.
    follow_links
        Whether a link may lead outside the root.

    Raises
    ------
    ReadError
        If the file is missing, unreadable, not regular, outside the root or empty.
    """
    descriptor, status = opened(root, name, option=option, follow_links=follow_links)
    try:
        if status.st_size > MOST_BYTES:
            msg = f"{name}: {status.st_size} bytes are more than a DICOM object can hold (PS3.5 7.1.2)."
            raise ReadError(msg)
        data = _whole(descriptor, status.st_size)
    except OSError as error:
        msg = f"{name}: reading failed: {error.strerror or error}. Check the disk, then run again."
        raise ReadError(msg) from error
    finally:
        os.close(descriptor)
    return source(name, data, status.st_mtime_ns)


def source(name: str, data: bytes, version: int | str) -> Source:
    """Return the bytes of a file, which must not be empty."""
    if not data:
        msg = f"{name}: the file is empty. Fetch it again."
        raise ReadError(msg)
    return Source(path=name, data=data, sha256=hashlib.sha256(data).hexdigest(), version=version)


def opened(root: str, name: str, *, option: str, follow_links: bool) -> tuple[int, os.stat_result]:
    """Return the descriptor of a file, for the caller to close, and what is known of it; the parameters are as for `read`.

    Raises
    ------
    ReadError
        If the file is missing, not regular or outside the root.
    """
    try:
        descriptor = os.open(f"{root}/{name}", _FLAGS)
    except OSError as error:
        msg = f"{name}: {error.strerror or error}. Check the source column and {option} {root}."
        raise ReadError(msg) from error
    try:
        status = os.fstat(descriptor)
        _check_regular(name, status)
        if not follow_links:
            _check_inside(root, name, descriptor, option)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor, status


def _whole(descriptor: int, size_bytes: int) -> bytes:
    """Return all that a file holds, which may have changed its size since it was asked for."""
    data = os.read(descriptor, size_bytes + 1)
    if len(data) == size_bytes:
        return data
    parts = [data]
    while parts[-1]:
        parts.append(os.read(descriptor, _PIECE_BYTES))
    return b"".join(parts)


def _check_regular(name: str, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        msg = f"{name}: not a regular file. Name an image file."
        raise ReadError(msg)


def _check_inside(root: str, name: str, descriptor: int, option: str) -> None:
    real = _real_path(descriptor, root, name)
    if not names.within(root, real):
        msg = f"{name}: leads outside the image root, to {real}. Copy the image under {option}, name a wider root, or allow it with --follow-links."
        raise ReadError(msg)


def _real_path(descriptor: int, root: str, name: str) -> str:
    try:
        return os.readlink(f"/proc/self/fd/{descriptor}")  # 16 µs a row; Path is slower
    except OSError:  # no /proc: resolve the name, which a swap of links during the run could still fool
        return names.real(f"{root}/{name}")
