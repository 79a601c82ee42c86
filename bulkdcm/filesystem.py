"""Files as every system keeps them: brought to the disk, given names that nothing has, and replaced whole."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import stat
import sys
import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

if sys.platform == "darwin":
    import fcntl

_AT_FDCWD, _RENAME_NOREPLACE = -100, 1
# Of file systems and sandboxes without syncfs; each file is synced by itself there.
_CANT_SYNC_ALL = {errno.ENOSYS, errno.EPERM, errno.EINVAL, errno.EOPNOTSUPP}
_ON_WINDOWS = sys.platform == "win32"
_PATIENCE_S, _TRY_AGAIN_S = 2.0, 0.02
_MOST_BYTES = 2**30
_seeking = threading.Lock()
_LIBC: Any = None
if sys.platform == "linux":
    with contextlib.suppress(OSError):
        _LIBC = ctypes.CDLL(None, use_errno=True)


def _read_at(descriptor: int, size: int, at: int) -> bytes:
    """Return bytes of a file from some place on, and leave the file at its own, where somebody may read it in order."""
    with _seeking:
        before = os.lseek(descriptor, 0, os.SEEK_CUR)
        os.lseek(descriptor, at, os.SEEK_SET)
        try:
            return os.read(descriptor, size)
        finally:
            os.lseek(descriptor, before, os.SEEK_SET)


if sys.platform == "win32":
    pread = _read_at
else:

    def pread(descriptor: int, size: int, at: int) -> bytes:
        """Return bytes of a file from some place on, or fewer: macOS refuses more than 2 GB."""
        return os.pread(descriptor, min(size, _MOST_BYTES), at)


def longest_path() -> int:
    """Return how many characters a path may have; 0 if there is no limit that people meet."""
    if sys.platform != "win32":
        return 0
    enabled = ctypes.WinDLL("ntdll").RtlAreLongPathsEnabled
    enabled.restype = ctypes.c_ubyte
    return 0 if enabled() else 259


def sync(folder: Path, files: Sequence[str]) -> None:
    """Bring written files of a folder to the disk: by one `syncfs` if the system has it, else each file and folder by itself.

    Raises
    ------
    OSError
        If the disk did not take them.
    """
    if _ON_WINDOWS or _sync_all(folder):  # on Windows each was brought to the disk when it was `written`
        return
    paths = [folder / file for file in files]
    for path in [*paths, *({path.parent for path in paths} - {folder}), folder]:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
            if path == folder:
                _flush(descriptor)
        finally:
            os.close(descriptor)


def _flush(descriptor: int) -> None:
    """Bring to the disk itself what macOS has left in the disk's own memory, of all files."""
    if sys.platform == "darwin":
        with contextlib.suppress(OSError):  # not every file system has it
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)


def written(descriptor: int) -> None:
    """Bring a complete file to the disk on Windows, which does that only while it is open for writing.

    Opening it for that later would be refused while a viewer or a scanner reads it.
    """
    if _ON_WINDOWS:
        os.fsync(descriptor)


def _sync_all(folder: Path) -> bool:
    """Sync the whole file system of a folder; return False where this system or file system can't."""
    if _LIBC is None or not hasattr(_LIBC, "syncfs"):
        return False
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        if _LIBC.syncfs(descriptor) == 0:
            return True
        number = ctypes.get_errno()
    finally:
        os.close(descriptor)
    if number in _CANT_SYNC_ALL:
        return False
    raise OSError(number, os.strerror(number))


def rename_new(old: str, new: str, folder: int | None = None) -> None:
    """Give a file another name that nothing has yet.

    Parameters
    ----------
    old, new
        Both names; relative ones are below `folder`, if that is given.
    folder
        Descriptor of an open folder.

    Raises
    ------
    FileExistsError
        If something has the name.
    """
    if _LIBC is not None and hasattr(_LIBC, "renameat2"):
        at = _AT_FDCWD if folder is None else folder
        if not _LIBC.renameat2(at, os.fsencode(old), at, os.fsencode(new), _RENAME_NOREPLACE):
            return
        number = ctypes.get_errno()
        if number not in {errno.EINVAL, errno.ENOSYS, errno.EPERM}:  # the file system, kernel or sandbox lacks it
            raise OSError(number, os.strerror(number), old, None, new)
    if _ON_WINDOWS:  # a name that something has is refused there
        _patiently(partial(os.rename, old, new))
        return
    try:
        os.link(old, new, src_dir_fd=folder, dst_dir_fd=folder)
    except FileExistsError:
        raise
    except OSError:  # no hard links here: what comes to this name between the two calls isn't noticed
        with contextlib.suppress(FileNotFoundError):
            os.stat(new, dir_fd=folder, follow_symlinks=False)
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), new) from None
        os.rename(old, new, src_dir_fd=folder, dst_dir_fd=folder)
    else:
        os.unlink(old, dir_fd=folder)


def replace(old: str, new: str, folder: int | None = None) -> None:
    """Give a file another name, in the place of what has it; parameters as for `rename_new`.

    Raises
    ------
    OSError
        If it can't be.
    """
    if _ON_WINDOWS:
        _patiently(partial(os.replace, old, new))
    else:
        os.replace(old, new, src_dir_fd=folder, dst_dir_fd=folder)


def remove(path: Path) -> None:
    """Remove a file.

    Raises
    ------
    OSError
        If it can't be, or isn't there.
    """
    if _ON_WINDOWS:
        _patiently(path.unlink)
    else:
        path.unlink()


def _patiently(deed: Callable[[], None]) -> None:
    """Rename or remove a file of Windows, which refuses that while another program, such as a virus scanner, has it open."""
    until_s = time.monotonic() + _PATIENCE_S
    while True:
        try:
            deed()
        except PermissionError:
            if time.monotonic() > until_s:
                raise
            time.sleep(_TRY_AGAIN_S)
        else:
            return


def not_a_plain_file(path: Path) -> str:
    """Return what a path is other than a regular file with one name, in words; empty if it is one, or nothing is there.

    Raises
    ------
    OSError
        If that can't be known.
    """
    try:
        found = path.lstat()
    except FileNotFoundError:
        return ""
    if stat.S_ISREG(found.st_mode):
        return "" if found.st_nlink <= 1 else "a file with a second name (a hard link)"
    kinds = {stat.S_IFLNK: "a symbolic link", stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe"}
    return kinds.get(stat.S_IFMT(found.st_mode), "a device or socket")
