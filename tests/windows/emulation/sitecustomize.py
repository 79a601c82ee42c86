"""Python as it is on Windows, as far as that can be had on Linux: put this folder on PYTHONPATH.

What is emulated: paths come back with backslashes, and both kinds of slashes are understood; a folder can't be opened, and
there is no `dir_fd`; nothing opened for reading only can be synced; a file that is open can't be renamed, replaced or removed;
a name isn't taken by renaming to it; names of devices and with characters that Windows lacks are refused; `sys.platform` is
"win32" to bulkdcm's own modules, in which what only POSIX has is then not there. What isn't: Windows' own locks, signals,
consoles, long paths, and processes (loky starts each worker anew on either).
"""

from __future__ import annotations

import builtins
import contextlib
import ctypes  # noqa: F401  # so that it isn't loaded as Windows' later
import errno
import fcntl
import functools
import importlib
import io
import os
import pathlib
import posixpath
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import types
import urllib.parse

_REFUSED = re.compile(
    r'.*[<>:"|?*\x00-\x1f].*|.*[. ]|(con|prn|aux|nul|com[1-9]|lpt[1-9])(\..*)?', re.IGNORECASE | re.DOTALL
)
_own = threading.local()


def _straight(path):
    if isinstance(path, int):
        return path
    path = os.fspath(path)
    return path.replace(b"\\", b"/") if isinstance(path, bytes) else path.replace("\\", "/")


def _back(path):
    return path if isinstance(path, bytes) else path.replace("/", "\\")


def _refuse(number, path):
    raise OSError(number, os.strerror(number), path)


def _no_folder(descriptor, name):
    if descriptor is not None:
        msg = f"os.{name}: dir_fd unavailable on this platform"
        raise NotImplementedError(msg)


def _check_name(path):
    path = os.fsdecode(path)
    for part in path.split("/"):
        if part not in {"", ".", ".."} and _REFUSED.fullmatch(part):
            _refuse(errno.EINVAL, path)


def _check_closed(path):
    """Refuse what Windows refuses with a file that this process has open."""
    try:
        there = _real["lstat"](path)
    except FileNotFoundError:
        return
    held = set()
    for descriptor in _real["listdir"]("/proc/self/fd"):
        with contextlib.suppress(OSError):  # that of the listing itself is closed by now
            found = os.fstat(int(descriptor))
            held.add((found.st_dev, found.st_ino))
    if (there.st_dev, there.st_ino) in held:
        _refuse(errno.EACCES, path)


_real = {name: getattr(os, name) for name in (
    "open", "stat", "lstat", "mkdir", "rmdir", "unlink", "rename", "replace", "link", "symlink", "readlink", "listdir",
    "scandir", "access", "chmod", "utime", "truncate", "chdir", "statvfs", "fsync", "getcwd",
)}  # fmt: skip


def _plain(name):
    """Return a function of `os` that understands both kinds of slashes, and no descriptors of folders."""
    real = _real[name]

    @functools.wraps(real)
    def function(path=".", *rest, dir_fd=None, **more):
        _no_folder(dir_fd, name)
        return real(_straight(path), *rest, **more)

    return function


def _two(name):
    real = _real[name]

    @functools.wraps(real)
    def function(old, new, *rest, src_dir_fd=None, dst_dir_fd=None, **more):
        _no_folder(src_dir_fd, name)
        _no_folder(dst_dir_fd, name)
        old, new = _straight(old), _straight(new)
        _check_name(new)
        if name in {"rename", "replace"}:
            _check_closed(old)
            _check_closed(new)
        if name == "rename" and posixpath.lexists(new):
            _refuse(errno.EEXIST, new)
        return real(old, new, *rest, **more)

    return function


def _open(path, flags, mode=0o777, *, dir_fd=None):
    _no_folder(dir_fd, "open")
    path = _straight(path)
    if flags & os.O_CREAT:
        _check_name(path)
    descriptor = _real["open"](path, flags, mode)
    nameless = flags & os.O_TMPFILE == os.O_TMPFILE  # a file after all, as one that Windows deletes on closing
    if os.path.isdir(path) and not (nameless or flags & os.O_PATH):
        os.close(descriptor)
        _refuse(errno.EACCES, path)
    return descriptor


def _unlink(path, *, dir_fd=None):
    _no_folder(dir_fd, "unlink")
    path = _straight(path)
    _check_closed(path)
    _real["unlink"](path)


def _mkdir(path, mode=0o777, *, dir_fd=None):
    _no_folder(dir_fd, "mkdir")
    path = _straight(path)
    _check_name(path)
    _real["mkdir"](path, mode)


def _fsync(descriptor):
    number = descriptor if isinstance(descriptor, int) else descriptor.fileno()
    if fcntl.fcntl(number, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
        _refuse(errno.EBADF, "")
    _real["fsync"](number)


def _files():
    """Replace what opens, names and changes files."""
    for name in (
        "stat",
        "lstat",
        "rmdir",
        "readlink",
        "listdir",
        "scandir",
        "access",
        "chmod",
        "utime",
        "truncate",
        "chdir",
        "statvfs",
    ):
        setattr(os, name, _plain(name))
    for name in ("rename", "replace", "link", "symlink"):
        setattr(os, name, _two(name))
    os.open, os.unlink, os.remove, os.mkdir, os.fsync = _open, _unlink, _unlink, _mkdir, _fsync
    os.supports_dir_fd = set()
    shutil._use_fd_functions = False
    plain_open, plain_connect = io.open, sqlite3.connect

    @functools.wraps(plain_open)
    def opened(file, mode="r", *rest, **more):
        if not isinstance(file, int):
            file = _straight(file)
            if set(mode) & set("wxa"):
                _check_name(file)
        return plain_open(file, mode, *rest, **more)

    io.open = builtins.open = opened
    begin = subprocess.Popen.__init__

    @functools.wraps(begin)
    def started(self, args, *rest, **more):
        if _is_bulkdcm() and not isinstance(args, str):  # tests write paths as this system does, and values as they are
            args = [*map(_straight, args)]
        begin(self, args, *rest, **more)

    subprocess.Popen.__init__ = started
    sqlite3.connect = lambda database, *rest, **more: plain_connect(_straight(database), *rest, **more)


def _paths():
    """Let paths come back with backslashes; `posixpath` stays as it is."""
    paths = types.ModuleType("os.path")
    vars(paths).update(vars(posixpath))
    for name in ("realpath", "abspath", "normpath", "relpath", "join", "expanduser"):
        real = getattr(posixpath, name)

        @functools.wraps(real)
        def function(*parts, real=real, **more):
            parts = map(_straight, parts)
            if getattr(_own, "inside", False):  # called by another of them
                return real(*parts, **more)
            _own.inside = True
            try:
                return _back(real(*parts, **more))
            finally:
                _own.inside = False

        setattr(paths, name, function)
    for name in ("dirname", "basename", "split", "splitext", "isdir", "isfile", "islink", "exists", "lexists", "samefile",
                 "isabs", "getsize", "getmtime"):  # fmt: skip
        real = getattr(posixpath, name)

        @functools.wraps(real)
        def function(*parts, real=real):
            return real(*map(_straight, parts))

        setattr(paths, name, function)
    os.path = sys.modules["os.path"] = paths
    os.sep, os.altsep = "\\", "/"
    to_text = pathlib.PurePath.__str__
    pathlib.PurePath.__str__ = lambda self: _back(to_text(self))
    pathlib.PurePath.__fspath__ = pathlib.PurePath.__str__
    pathlib.PurePath.as_uri = lambda self: "file://" + urllib.parse.quote(to_text(self))
    pathlib.PurePath.as_posix = to_text
    if sys.version_info < (3, 12):
        parse = pathlib.PurePath._parse_args.__func__
        pathlib.PurePath._parse_args = classmethod(
            lambda cls, parts: parse(cls, [p if isinstance(p, pathlib.PurePath) else _straight(p) for p in parts])
        )
    else:
        begin = pathlib.PurePath.__init__
        pathlib.PurePath.__init__ = lambda self, *parts: begin(self, *map(_straight, parts))


class _Sys(types.ModuleType):
    """`sys` to a module of bulkdcm."""

    platform = "win32"

    def __getattr__(self, name):
        return getattr(sys, name)

    def __setattr__(self, name, value):
        setattr(sys, name, value)


def _bulkdcm():
    """Load bulkdcm's modules that know of systems as Windows would."""
    before, sys.platform = sys.platform, "win32"
    try:
        loaded = [
            importlib.import_module(f"bulkdcm.{name}")
            for name in ("names", "filesystem", "interrupts", "system", "signals")
        ]
    finally:
        sys.platform = before
    for module in loaded:
        if "sys" in vars(module):
            module.sys = _Sys("sys")
    loaded[1].longest_path = lambda: int(os.environ.get("WINDOWS_LONGEST_PATH", "0"))
    for name in ("setitimer", "SIGALRM", "ITIMER_REAL"):
        delattr(signal, name)


def _is_bulkdcm():
    return "bulkdcm" in sys.orig_argv or any("joblib.externals.loky" in part for part in sys.orig_argv)


if _is_bulkdcm():
    _files()
    _paths()
    _bulkdcm()
elif os.environ.get("BULKDCM_TESTS") == "windows" and any(
    "pytest" in part or "execnet" in part or "exec(eval" in part for part in sys.orig_argv
):
    _files()  # tests write paths as this system does
    _bulkdcm()
