"""The archives under an image root, as the process of a run knows them: listed once, and made ready for its workers."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import tempfile
from typing import IO, TYPE_CHECKING, Self

from bulkdcm import filesystem
from bulkdcm.errors import ReadError, StorageError
from bulkdcm.stores import archive_files, archives, formats, index, reading
from bulkdcm.stores.index import Index, Listed
from bulkdcm.stores.members import DamagedError
from bulkdcm.stores.spool import FOLDER, Spool

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator
    from types import TracebackType

    from bulkdcm.stores.members import Member


INDEX = "index.sqlite"
_COMING = "coming.sqlite"
_own: dict[str, Catalogue] = {}  # of this process, by their homes


def of_this_process(home: str) -> Catalogue | None:
    """Return the catalogue that has this home, if it is this process's own."""
    return _own.get(home)


class Catalogue:
    """Archives under an image root, within a ``with`` block.

    Parameters
    ----------
    root
        Real path of the image root.
    follow_links
        Whether archives may be links that lead outside.
    earlier
        Folder where an earlier run has kept its index; empty for none.

    Notes
    -----
    Nothing is written until an archive is looked at: then into a temporary folder, until `settle` says where.
    """

    def __init__(self, root: str, *, follow_links: bool = False, earlier: str = "") -> None:
        self.root, self.follow_links, self._earlier = root, follow_links, earlier
        self._home = ""
        self._index: Index | None = None
        self._changed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._leave()

    def _leave(self) -> None:
        if self._index:
            self._index.close()
            self._index = None
        archive_files.let_go(self.root)
        if self._home:
            _own.pop(self._home, None)
            index.let_go(self._home)
            Spool(f"{self._home}/{FOLDER}").clear()
            if self._home != self._earlier:
                shutil.rmtree(self._home, ignore_errors=True)
            self._home = ""

    @property
    def home(self) -> str:
        """Folder of the index and the spool."""
        if not self._home:
            try:
                self._home = tempfile.mkdtemp(prefix=f"bulkdcm-archives-{os.getpid()}-")
            except OSError as error:
                msg = f"the folder for temporary files can't be written: {error.strerror or error}. Name another with TMPDIR."
                raise StorageError(msg) from error
            _own[self._home] = self
            with contextlib.suppress(OSError):
                shutil.copyfile(f"{self._earlier}/{INDEX}", f"{self._home}/{INDEX}")
        return self._home

    @property
    def index(self) -> Index:
        """What is known of the archives."""
        if self._index is None:
            try:
                self._index = Index(f"{self.home}/{INDEX}", writes=True, earlier=self._home != self._earlier)
            except sqlite3.Error as error:
                raise _unwritten(self.home, error) from error
            self._changed = self._changed or self._index.dropped
        return self._index

    def settle(self) -> str:
        """Move to the folder where the next run will look, under the run's lock, and return it.

        Raises
        ------
        StorageError
            If it can't be written.
        """
        self.index.close()
        try:
            os.makedirs(self._earlier, exist_ok=True)
            if self._changed or not os.path.exists(f"{self._earlier}/{INDEX}"):
                shutil.copyfile(f"{self.home}/{INDEX}", f"{self._earlier}/{_COMING}")
                filesystem.replace(f"{self._earlier}/{_COMING}", f"{self._earlier}/{INDEX}")
        except OSError as error:
            raise _unwritten(self._earlier, error) from error
        self._leave()
        self._home = self._earlier
        _own[self._home] = self
        Spool(f"{self._home}/{FOLDER}").clear()  # of a run that was killed
        return self._home

    def look(self, archive: str, *, through: bool = True) -> Listed | None:
        """Return an archive as it is listed, which is done now if it wasn't.

        Parameters
        ----------
        archive
            Its name under the image root.
        through
            Whether one that can only be read in order is read for this; else None if it isn't listed yet.
        """
        with self._opened(archive) as (descriptor, listed):
            if descriptor < 0 or listed.number:
                return listed
            if formats.is_ordered(archive):
                return self._take(archive, descriptor, listed, ()) if through else None
            with open(descriptor, "rb", closefd=False) as file:
                return self._put(archive, listed, formats.members(file, archive, _version(listed)), certain=True)

    def contents(self, archive: str) -> Iterator[tuple[Member, Callable[[], Iterator[bytes]]]]:
        """Yield the members of an archive in its order, each with what gives its bytes, in pieces, before the next is asked for.

        Raises
        ------
        DamagedError
            If the rest of it can't be had, or the bytes of a member.
        """
        with self._opened(archive) as (descriptor, listed):
            if descriptor < 0:
                raise DamagedError(listed.fault.removesuffix("."))
            with open(descriptor, "rb", closefd=False) as file:
                yield from formats.contents(file, archive, _version(listed))

    def ready(self, names: Iterable[str], *, unlisted: bool = False) -> None:
        """Unpack the members that can't be read by themselves, so that workers can.

        Parameters
        ----------
        names
            Of sources.
        unlisted
            Whether only archives that aren't listed yet are unpacked.

        Raises
        ------
        StorageError
            If there is no room for them.
        """
        wanted: dict[str, set[str]] = {}
        for name in names:
            divided = archives.split(name)
            if divided and formats.is_ordered(divided[0]):
                wanted.setdefault(divided[0], set()).add(archives.key(divided[1]))
        for archive, members in wanted.items():
            self._unpack(archive, members, unlisted=unlisted)

    def unpack(self, archive: str) -> None:
        """Unpack all members of one archive."""
        self._unpack(archive, None)

    def _unpack(self, archive: str, wanted: Collection[str] | None, *, unlisted: bool = False) -> None:
        with self._opened(archive) as (descriptor, listed):
            done = listed.fault or (listed.number and (unlisted or self._has_all(archive, listed, wanted)))
            if descriptor >= 0 and not done:
                self._take(archive, descriptor, listed, wanted)

    def _has_all(self, archive: str, listed: Listed, wanted: Collection[str] | None) -> bool:
        names = [name for name, _ in self.index.names(listed.number)] if wanted is None else list(wanted)
        known = self.index.known(listed.number, names)
        usable = [name for name, member in zip(names, known, strict=True) if member and not member.fault]
        return Spool(f"{self.home}/{FOLDER}").holds(archive, listed, usable)

    def _take(self, archive: str, descriptor: int, listed: Listed, wanted: Collection[str] | None) -> Listed:
        """Read an archive from its beginning to its end: list it, and unpack what is wanted."""
        os.lseek(descriptor, 0, os.SEEK_SET)
        found: list[Member] = []
        spool = Spool(f"{self.home}/{FOLDER}")
        with open(descriptor, "rb", closefd=False) as file:
            listed = self._put(
                archive, listed, self._members(file, archive, listed, wanted, (spool, found)), certain=False
            )
        if found:
            spool.put(archive, listed, found)
        return listed

    def _members(
        self,
        file: IO[bytes],
        archive: str,
        listed: Listed,
        wanted: Collection[str] | None,
        into: tuple[Spool, list[Member]],
    ) -> Iterator[Member]:
        stream = formats.ordered(file, archive, _version(listed))
        spool, found = into
        yield from stream.members() if wanted is not None and not wanted else spool.taken(stream, wanted, found)

    def _put(self, archive: str, listed: Listed, members: Iterator[Member], *, certain: bool) -> Listed:
        self._changed = True
        try:
            return self.index.put(archive, listed.size, listed.mtime_ns, members, certain=certain)
        except sqlite3.Error as error:
            raise _unwritten(self.home, error) from error

    @contextlib.contextmanager
    def _opened(self, archive: str) -> Iterator[tuple[int, Listed]]:
        """Within the block, have an archive open; its descriptor is -1 if that can't be, and the number 0 if it isn't listed."""
        try:
            descriptor, status = reading.opened(self.root, archive, option="--images", follow_links=self.follow_links)
        except ReadError as error:
            yield -1, Listed(0, 0, 0, str(error).removeprefix(f"{archive}: "), "")
            return
        try:
            known = self.index.archive(archive)
            if known and (known.size, known.mtime_ns) == (status.st_size, status.st_mtime_ns):
                yield descriptor, known
            else:
                yield descriptor, Listed(0, status.st_size, status.st_mtime_ns, "", "")
        finally:
            os.close(descriptor)


def _version(listed: Listed) -> str:
    return f"{listed.size}:{listed.mtime_ns}"


def _unwritten(home: str, error: Exception) -> StorageError:
    return StorageError(f"{home}: can't be written: {error}. Make room, then run the same command again.")
