"""Members of archives that can only be read in order, unpacked once into a file from which each is then read by itself."""

from __future__ import annotations

import contextlib
import os
import shutil
from typing import TYPE_CHECKING

from bulkdcm import filesystem
from bulkdcm.errors import StorageError
from bulkdcm.stores.index import Index, held

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from bulkdcm.stores.formats import Ordered
    from bulkdcm.stores.index import Listed
    from bulkdcm.stores.members import Member

FOLDER = "spool"
_INDEX = "index.sqlite"
_COMING = "coming.data"
_ROOM_BYTES = 2**28  # that stay free: the outputs go to the same disk
_LOOK_BYTES = 2**26  # after so many the room is looked at again


class Spool:
    """A folder with the unpacked members, and an index of them.

    Parameters
    ----------
    folder
        Of the run's own.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def find(self, archive: str, listed: Listed, name: str) -> tuple[str, Member] | None:
        """Return the file that a member is in, and where in it; None if it wasn't unpacked."""
        index, number = self._known(archive, listed)
        member = index.member(number, name) if index else None
        return (f"{number}.data", member) if member else None

    def holds(self, archive: str, listed: Listed, names: list[str]) -> bool:
        """Return whether members have been unpacked, all of them."""
        index, number = self._known(archive, listed)
        return all(index.known(number, names)) if index else not names

    def _known(self, archive: str, listed: Listed) -> tuple[Index | None, int]:
        """Return the index if it has an archive as it is listed, and the archive's number in it."""
        index = held(f"{self._folder}/{_INDEX}")
        known = index.archive(archive) if index else None
        if known is None or (known.size, known.mtime_ns) != (listed.size, listed.mtime_ns):
            return None, 0
        return index, known.number

    def taken(self, archive: Ordered, wanted: Collection[str] | None, found: list[Member]) -> Iterator[Member]:
        """Yield the members of an archive, and unpack those that are wanted; `put` then keeps them.

        Parameters
        ----------
        archive
            At its beginning.
        wanted
            Names of members; None for all.
        found
            Takes the members that were unpacked, each with its place in the spool.

        Raises
        ------
        StorageError
            If there is no room for them.
        """
        with self._explained():
            os.makedirs(self._folder, exist_ok=True)
            self._check_room()
            looked = 0
            with open(f"{self._folder}/{_COMING}", "wb") as file:
                for member in archive.members():
                    if not member.fault and (wanted is None or member.name in wanted):
                        found.append(member._replace(offset=file.tell()))
                        for piece in archive.data(member):
                            file.write(piece)
                            if file.tell() - looked > _LOOK_BYTES:
                                looked = file.tell()
                                self._check_room()
                    yield member

    def put(self, archive: str, listed: Listed, found: list[Member]) -> None:
        """Keep what was unpacked of an archive."""
        with self._explained():
            index = Index(f"{self._folder}/{_INDEX}", writes=True)
            kept = index.put(archive, listed.size, listed.mtime_ns, found)
            index.close()
            filesystem.replace(f"{self._folder}/{_COMING}", f"{self._folder}/{kept.number}.data")

    def clear(self) -> None:
        """Remove all of it."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _check_room(self) -> None:
        free = shutil.disk_usage(self._folder).free
        if free < _ROOM_BYTES:
            msg = (
                f"{self._folder}: {free:,} bytes are free, too few to unpack a compressed archive into for the run. "
                "Make room, or unpack the archive yourself and name the files, then run the same command again."
            )
            raise StorageError(msg)

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            msg = f"{self._folder}: can't be written: {error.strerror or error}. Make room, then run the same command again."
            raise StorageError(msg) from error
