"""A folder of this machine, or one that it sees as its own."""

from __future__ import annotations

import contextlib
import itertools
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, ClassVar, Self

from bulkdcm import filesystem, names
from bulkdcm.errors import StorageError
from bulkdcm.stores import folder, putting, reading, removal
from bulkdcm.stores.base import Stat
from bulkdcm.stores.held import Held

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from bulkdcm.model import Source
    from bulkdcm.stores.base import Buffer, Place, Removal, Stored

_NUMBERS = itertools.count(1)  # of files that are written at once by one thread


@dataclass(frozen=True, slots=True, kw_only=True)
class Local:
    """Files in a folder.

    Attributes
    ----------
    root
        The folder: an absolute path, and where sources are read the real one.
    option
        That names it, for messages.
    follow_links
        Whether a file may be read through a link that leads outside.
    folds
        See `Store`.
    identity
        Device and number of the folder that is meant; (0, 0) where that isn't known.
    held_open
        The folder and those within, in the block of `at_hand`.
    """

    atomic_put: ClassVar[bool] = True
    needs_sync: ClassVar[bool] = True
    writes: ClassVar[bool] = True
    recognises: ClassVar[bool] = False

    root: str
    option: str = "--out"
    follow_links: bool = False
    folds: bool = False
    identity: folder.Identity = folder.UNKNOWN
    held_open: Held | None = field(default=None, repr=False, compare=False)

    @property
    def local_path(self) -> str:
        """The folder."""
        return self.root

    def prepare(self) -> None:
        """See `Store`."""
        folder.prepare(Path(self.root))

    @contextlib.contextmanager
    def held(self) -> Iterator[Self]:
        """See `Store`: the folder is held open, so that its number goes to no other."""
        with folder.in_place(Path(self.root)) as identity:
            yield replace(self, identity=identity)

    def elsewhere(self) -> Self:
        """See `Store`: another machine has other numbers."""
        return replace(self, identity=folder.UNKNOWN)

    def check(self) -> None:
        """See `Store`."""
        folder.check_place(self.root, self.identity)

    def stat(self, name: str) -> Stat | None:
        """See `Store`."""
        return self.stats([name])[0]

    def stats(self, names: Sequence[str]) -> list[Stat | None]:
        """See `Store`."""
        found: list[Stat | None] = []
        for name in names:
            try:
                status = os.stat(f"{self.root}/{name}")
            except (OSError, ValueError):
                found.append(None)
            else:  # a million times: `Stat(…)` itself takes twice as long
                found.append(tuple.__new__(Stat, (status.st_size, status.st_mtime_ns)))
        return found

    def version_is_its_own(self, name: str) -> bool:
        """See `Store`."""
        del name
        return True

    def open(self, name: str) -> IO[bytes]:
        """See `Store`."""
        return open(f"{self.root}/{name}", "rb")

    def read(self, name: str) -> Source:
        """See `Store`."""
        return reading.read(self.root, name, option=self.option, follow_links=self.follow_links)

    def put(self, place: Place, data: Sequence[Buffer]) -> Stored:
        """See `Store`: a temporary name beside the place, then a rename."""
        if self.held_open is None:
            with self.at_hand() as store:
                return store.put(place, data)
        try:
            try:
                return putting.put(self.held_open.inside(place.folder), place, data)
            except FileNotFoundError:  # someone has removed it, so it is made again
                self.held_open.lost(place.folder)
                return putting.put(self.held_open.inside(place.folder), place, data)
        except OSError as error:
            raise putting.explained(error, place) from error

    @contextlib.contextmanager
    def at_hand(self) -> Iterator[Self]:
        """See `Store`: folders are held open, if files go into them."""
        if not self.writes:
            yield self
            return
        held = Held(self.root, self.identity)
        try:
            yield replace(self, held_open=held)
        except BaseException:
            with contextlib.suppress(StorageError):
                held.close()
            raise
        else:
            held.close()

    @contextlib.contextmanager
    def writing(self, name: str) -> Iterator[IO[bytes]]:
        """See `Store`."""
        path = Path(self.root, name)
        temporary = path.with_name(putting.temporary_name(next(_NUMBERS)))
        try:
            file = temporary.open("xb")  # a new one, so that no link is followed, nor removed if there is one
            with _undone(temporary):
                with file:
                    yield file
                filesystem.replace(str(temporary), str(path))  # closed, as Windows wants it
        except OSError as error:
            msg = f"{path}: can't be written: {error.strerror or error}. Make room, then run the same command again."
            raise StorageError(msg) from error

    def settle(self, staged: str, name: str) -> None:
        """See `Store`."""
        try:
            folder.check_inside(self.root, f"{self.root}/{name}".rpartition("/")[0])
            filesystem.replace(f"{self.root}/{staged}", f"{self.root}/{name}")
        except FileNotFoundError:
            return
        except OSError as error:
            msg = f"{name}: {error.strerror}. {putting.RESUME}"
            raise StorageError(msg) from error

    def drop(self, staged: str) -> None:
        """See `Store`."""
        Path(self.root, staged).unlink(missing_ok=True)

    def remove(self, files: Iterable[Sequence[Any]]) -> Removal:
        """See `Store`; folders that are left empty go, too."""
        return removal.remove(Path(self.root), files)

    def clear(self, keep: Collection[str] = ()) -> int:
        """See `Store`."""
        count = 0
        for name in self.names():
            if removal.is_temporary(name) and name not in keep:
                self.drop(name)
                count += 1
        return count

    def names(self) -> Iterator[str]:
        """See `Store`."""
        for where, _, files in os.walk(self.root):
            inside = names.slashed(os.path.relpath(where, self.root))
            yield from files if inside == "." else (f"{inside}/{name}" for name in files)

    def sync(self, names: Sequence[str]) -> None:
        """See `Store`."""
        try:
            filesystem.sync(Path(self.root), names)
        except OSError as error:
            msg = f"{self.root}: {error.strerror}. {putting.RESUME}"
            raise StorageError(msg) from error


@contextlib.contextmanager
def _undone(path: Path) -> Iterator[None]:
    """Remove a file that the block leaves by an error."""
    try:
        yield
    except BaseException:
        with contextlib.suppress(OSError):
            path.unlink()
        raise
