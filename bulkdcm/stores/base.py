"""What a store is: where bytes come from and go. Whoever uses one asks it for facts, never for its name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol, Self

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from bulkdcm.model import Source

    Buffer = bytes | memoryview

Version = int | str
"""What changes if a file does, and is compared only for equality: a folder's files have their modification time in ns."""


class Stat(NamedTuple):
    """What a store knows of a file without reading it."""

    size_bytes: int
    version: Version


@dataclass(frozen=True, slots=True)
class Place:
    """Where a file goes.

    Attributes
    ----------
    name
        Relative to the store, with forward slashes.
    replaces
        The version of what may be replaced there; None where nothing may.
    staged
        Whether to leave the file beside its place.
    owner
        Ordinal of the row, so that two rows that want one place don't share a file beside it.
    """

    name: str
    replaces: Version | None = None
    staged: bool = False
    owner: int = 0

    @property
    def folder(self) -> str:
        """Of the file, relative to the store; empty where that is it."""
        return self.name.rpartition("/")[0]

    @property
    def base(self) -> str:
        """Name of the file in its folder."""
        return self.name.rpartition("/")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What was stored, and where.

    Attributes
    ----------
    name
        Relative to the store, with forward slashes.
    size_bytes, sha256, version
        Of the file.
    staged
        Where the file lies for now, since another has its name; empty where it has it.
    """

    name: str
    size_bytes: int
    sha256: str
    version: Version
    staged: str = ""


@dataclass(frozen=True, slots=True)
class Removal:
    """What became of files that were to go.

    Attributes
    ----------
    gone
        Those that aren't there any more.
    foreign
        Those in whose place another file is now, which stays.
    failed
        Why the others could not be removed.
    """

    gone: list[str]
    foreign: list[str]
    failed: dict[str, str]


class Store(Protocol):
    """Where sources come from, or outputs go. It crosses process boundaries, so it holds nothing open by itself.

    Attributes
    ----------
    atomic_put
        Whether a name never holds half a file, whatever is killed.
    needs_sync
        Whether a file may be lost by a power cut until `sync` has returned.
    writes
        Whether `put` leaves a file behind.
    recognises
        Whether files are only known again: the ledger is made anew, and a row that fails has yet to be converted.
    folds
        Whether names that differ only in case, or in the form of their letters, are those of one file.
    local_path
        The folder that the store is, for what only a folder can have, such as links; empty where it is none.
    """

    atomic_put: ClassVar[bool]
    needs_sync: ClassVar[bool]
    writes: ClassVar[bool]
    recognises: ClassVar[bool]

    @property
    def folds(self) -> bool:
        """As above."""
        ...

    @property
    def local_path(self) -> str:
        """As above."""
        ...

    def prepare(self) -> None:
        """Make the store where it isn't there. `StorageError` if it can't be, or can't be written."""
        ...

    def held(self) -> AbstractContextManager[Self]:
        """Return the store as the run knows it: within the block, another in its place is noticed."""
        ...

    def elsewhere(self) -> Self:
        """Return the store as another machine knows it."""
        ...

    def check(self) -> None:
        """Raise `StorageError` where another store, or none, is in the place of the one that is held."""
        ...

    def stat(self, name: str) -> Stat | None:
        """Return what is known of a file; None where there is none."""
        ...

    def stats(self, names: Sequence[str]) -> list[Stat | None]:
        """Return what is known of many files, as `stat` of each."""
        ...

    def version_is_its_own(self, name: str) -> bool:
        """Return whether a file's version changes only if the file itself does; if not, its bytes decide."""
        ...

    def open(self, name: str) -> IO[bytes]:
        """Return a file to be read; `OSError` where it can't be."""
        ...

    def read(self, name: str) -> Source:
        """Return a file's bytes and their SHA-256; `ReadError` where they can't be had."""
        ...

    def at_hand(self) -> AbstractContextManager[Self]:
        """Return the store for many files in one go: what one `put` finds out is kept for the next.

        At the block's end, `StorageError` says that what was put isn't where it should be.
        """
        ...

    def put(self, place: Place, data: Sequence[Buffer]) -> Stored:
        """Write a file, given in pieces, and return what was stored.

        What is at the place and isn't the version that may be replaced is left alone. If it is the very same bytes, as a
        killed run leaves them, it is taken for the output; else the file stays beside it, for the run to say whose the place
        is. `StorageError` where no file could be stored, `StoreError` where this one can't.
        """
        ...

    def writing(self, name: str) -> AbstractContextManager[IO[bytes]]:
        """Return a file that gets its name, replacing what has it, when the block has ended well; `StorageError` if it can't."""
        ...

    def settle(self, staged: str, name: str) -> None:
        """Give a staged file its name, replacing what has it; nothing where that was done before."""
        ...

    def drop(self, staged: str) -> None:
        """Remove a staged file; nothing where it isn't there."""
        ...

    def remove(self, files: Iterable[Sequence[Any]]) -> Removal:
        """Remove files that are still what was written; of each: name, size in bytes, version, SHA-256."""
        ...

    def clear(self, keep: Collection[str] = ()) -> int:
        """Remove what a killed run left half-written or staged, but for some of the latter; return how many."""
        ...

    def names(self) -> Iterator[str]:
        """Yield the names of all files, in any order."""
        ...

    def sync(self, names: Sequence[str]) -> None:
        """Bring files to where no power cut reaches them; `StorageError` where that fails."""
        ...
