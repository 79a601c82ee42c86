"""Put on PYTHONPATH by the fault tests: images that begin with POISON do to their worker what the word after it says."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time

import bulkdcm.images


def _recurse(depth):
    return _recurse(depth + 1) + 1


def _hang_in_c():
    # One call that holds no signal: sleep(3) through a library that restarts it, with SIGALRM blocked.
    libc = ctypes.PyDLL(None)
    libc.usleep.argtypes = [ctypes.c_uint]
    while True:
        libc.usleep(900_000)


def _spin():
    while True:
        pass


def _eat_memory():
    blocks = []
    while True:
        blocks.append(bytearray(64_000_000))


_DEEDS = {
    b"segfault": lambda: ctypes.string_at(0),
    b"_exit": lambda: os._exit(3),
    b"sys.exit": lambda: sys.exit(3),
    b"raise": lambda: 1 / 0,
    b"recurse": lambda: _recurse(0),
    b"abort": os.abort,
    b"sleep": lambda: time.sleep(3600),
    b"loop": _spin,
    b"memory": _eat_memory,
}


def _read(source, settings, iod):
    del settings, iod
    deed = source.data.split()[1]
    if deed == b"c-call":
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
        _hang_in_c()
    _DEEDS[deed]()
    raise AssertionError(deed)


bulkdcm.images.READERS = (("poison", (b"POISON",), _read), *bulkdcm.images.READERS)
