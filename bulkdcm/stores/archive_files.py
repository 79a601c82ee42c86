"""Archives that a process holds open, so that none is opened for each of its members."""

from __future__ import annotations

import os
import threading

from bulkdcm.stores import reading

_MOST = 16  # archives that a process holds open


class File:
    """An open archive, closed when nobody has it any more."""

    def __init__(self, descriptor: int, identity: tuple[int, int]) -> None:
        self.descriptor, self.identity = descriptor, identity

    def __del__(self) -> None:
        os.close(self.descriptor)


_files: dict[tuple[str, str, bool], File] = {}
_lock = threading.Lock()


def held(root: str, archive: str, *, option: str, follow_links: bool) -> File:
    """Return an archive that this process has open, or opens now, its path checked as that of any file.

    The parameters, and what is raised, are as for `reading.opened`.
    """
    try:
        status = os.stat(f"{root}/{archive}")
        identity = (status.st_dev, status.st_ino)
    except OSError:
        identity = (-1, -1)
    place = (root, archive, follow_links)
    with _lock:
        file = _files.get(place)
        if file is None or file.identity != identity:
            descriptor, status = reading.opened(root, archive, option=option, follow_links=follow_links)
            file = File(descriptor, (status.st_dev, status.st_ino))
            while len(_files) >= _MOST:
                del _files[next(iter(_files))]
            _files[place] = file
    return file


def let_go(root: str) -> None:
    """Hold the archives under a root open no longer: Windows removes and replaces no file that is."""
    with _lock:
        for place in [place for place in _files if place[0] == root]:
            del _files[place]
